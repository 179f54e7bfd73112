import { marked } from "marked";

export const handler = async ({ text }) => marked.parse(text);

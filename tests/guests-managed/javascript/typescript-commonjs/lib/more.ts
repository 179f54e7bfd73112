export const more = 1; export type T = 1;

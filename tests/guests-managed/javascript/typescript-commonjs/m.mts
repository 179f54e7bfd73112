import c, { v } from './c.cjs'; export const m: unknown = [v, c.v];

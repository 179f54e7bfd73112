export const named = "named"; export default "inner";

import { join } from 'path'; export const v: string = join('x', 'y');

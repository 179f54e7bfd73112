import { handler } from '..';
export let counter: number = 0;
export const named: string = 'named';
export function inc(): void { counter++; }
export default function def(bad?: boolean): string {
  if (bad) throw new RangeError('bad');
  return typeof handler;
}

// Without extensions, and with what a source has that does not say what it is.
import fs = require('fs');
import { Square } from './lib/shapes';
import shapes = require('./lib/shapes');

export const handler = async (event: { side: number }): Promise<unknown> => {
  const { Unit } = await import('./lib/shapes');
  return [typeof fs.readFileSync, new Square(event.side).area(2), Unit.Metre, shapes.Square === Square, __dirname];
};

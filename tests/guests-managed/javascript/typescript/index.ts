import type { Shape } from './lib/shapes.ts';
import { Square, Unit } from './lib/shapes.ts';

type Event = { side: number };

export const handler = async (event: Event): Promise<{ area: number; unit: Unit }> => {
  const square = new Square(event.side) satisfies Shape;
  return { area: square.area(2), unit: Unit.Metre };
};

export const fails = async (event: Event): Promise<void> => {
  new Square(event.side).fail();
};

export interface Shape { readonly width: number; readonly height: number }
export enum Unit { Metre = 'm', Foot = 'ft' }
export class Square implements Shape {
  constructor(readonly width: number, readonly height: number = width) {}
  area<T extends number>(this: Square, factor: T): number { return this.width * this.height * factor; }
  fail(): never {
    throw new RangeError('too large') as Error;
  }
}

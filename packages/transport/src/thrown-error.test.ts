import { describe, expect, it } from 'vitest';
import { thrownError } from './thrown-error.js';

describe('thrownError', () => {
  it('is the error itself, if it was one', () => {
    const error = new TypeError('a mistake');
    expect(thrownError(error, 'onWire')).toBe(error);
  });

  it.each(['text', undefined, { code: 1 }])(
    'names what threw, and keeps as cause what was thrown: %j',
    (thrown) => {
      expect(thrownError(thrown, 'onWire')).toMatchObject({
        message: 'onWire threw no Error',
        cause: thrown,
      });
    },
  );
});

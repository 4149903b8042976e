/** Texts with one flaw, and what it is: for whoever has to refuse them. */
import * as fc from 'fast-check';

/** A text that is nearly valid. */
export interface NearValid {
  readonly text: string;
  /** What is wrong with it, in words. */
  readonly flaw: string;
  /**
   * A liberal receiver may take it, because it only widens what a local-part or an argument may be. What is not
   * tolerable would leave in doubt where something ends, or whom it is for.
   */
  readonly tolerable: boolean;
}

/** A flaw, and how it is made of a valid text. */
export interface Flaw<Valid = string> {
  readonly flaw: string;
  readonly tolerable?: boolean;
  readonly damage: (valid: Valid) => string;
}

/** One of the flaws in one of the valid texts. It shrinks towards the first flaw, and the simplest text. */
export function damaged<Valid>(
  valid: fc.Arbitrary<Valid>,
  flaws: readonly Flaw<Valid>[],
): fc.Arbitrary<NearValid> {
  return fc.tuple(fc.constantFrom(...flaws), valid).map(([{ flaw, tolerable = false, damage }, text]) => ({
    text: damage(text),
    flaw,
    tolerable,
  }));
}

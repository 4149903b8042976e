/** Chance that a seed repeats. What the machine does between the throws it does not repeat. */
export interface Dice {
  /** From 0 up to but not including 1. */
  throw(): number;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  /** One of them, each as likely as its weight says. */
  pick<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
}

/** Mulberry32. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const dice: Dice = {
    throw() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    between: (least, most) => least + Math.floor(dice.throw() * (most - least + 1)),
    pick<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
      const names = Object.keys(weights) as Name[];
      let left = dice.throw() * names.reduce((sum, name) => sum + weights[name], 0);
      for (const name of names) {
        left -= weights[name];
        if (left < 0) return name;
      }
      return names.at(-1) as Name;
    },
  };
  return dice;
}

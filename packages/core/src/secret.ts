/**
 * Secrets: passwords, tokens, keys, and whatever they can be read from.
 *
 * A secret can be used only by asking for it by name, `reveal()`. Everything that turns a value into text by
 * itself, such as a template, `JSON.stringify`, a logger, `util.inspect` or an error's message, gets a stand-in.
 */
import { kindOf } from './kind-of.js';
import { decodeText, encodeText } from './wire/octets.js';

const STAND_IN = '[secret]';

/**
 * A password, token or key. Templates, `JSON.stringify`, loggers, `util.inspect` and error messages show `[secret]` in
 * its place; only `reveal()` and `revealText()` give what is in it.
 */
export class Secret {
  readonly #octets: Uint8Array;

  /**
   * @param value text is taken as UTF-8; octets are not copied
   * @throws {TypeError} it is neither, such as an environment variable that is not set
   */
  constructor(value: string | Uint8Array) {
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
      throw new TypeError(`A Secret takes a text or a Uint8Array, and was given ${kindOf(value)}`);
    }
    this.#octets = typeof value === 'string' ? encodeText(value) : value;
  }

  /** The secret's octets. */
  reveal(): Uint8Array {
    return this.#octets;
  }

  /**
   * The secret as text.
   * @throws {RangeError} it is not UTF-8
   */
  revealText(): string {
    const text = decodeText(this.#octets);
    if (text === undefined) throw new RangeError('The secret is no text: its octets are not UTF-8');
    return text;
  }

  toString(): string {
    return STAND_IN;
  }

  toJSON(): string {
    return STAND_IN;
  }

  /** For `util.inspect` of Node and those that follow it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return STAND_IN;
  }
}

/**
 * MT-PRIORITY (RFC 6710): how urgent the message is. Whether a client may raise its priority is the application's
 * decision; to one that it does not trust it must not grant a positive one (RFC 6710 §4.1).
 */
import { outOfRange } from '../../option-checks.js';
import { checkNames } from '../../option-names.js';
import type { ServiceExtension } from '../contract/extension.js';

/** What a server says with MT-PRIORITY (RFC 6710 §3). */
export interface MtPriorityOptions {
  /**
   * The Priority Assignment Policy that is followed, such as `MIXER`: 1 to 20 letters, digits, `-`, `_`, `.`.
   * @default it is not disclosed
   */
  readonly profile?: string;
}

/**
 * MT-PRIORITY (RFC 6710 §4): MAIL may say how urgent the message is.
 * @throws {RangeError} the profile is none
 */
export function mtPriority(options: MtPriorityOptions = {}): ServiceExtension {
  checkNames('The option', options, ['profile']);
  const { profile = '' } = options;
  if (!/^[\w.-]{0,20}$/.test(profile)) {
    throw outOfRange('profile', profile, '1 to 20 letters, digits, "-", "_" and "."');
  }
  return {
    keyword: 'MT-PRIORITY',
    offer: () => profile,
    additionalMailOctets: 15, // RFC 6710 §3
    mailParameters: [
      {
        keyword: 'MT-PRIORITY',
        parse(value = '') {
          if (/^(?:-?[1-9]|0)$/.test(value)) return { mtPriority: Number(value) };
          // RFC 6710 §4.1 gives 5.5.2, where other parameters have 5.5.4.
          return { code: 501, enhancedCode: '5.5.2', lines: ['MT-PRIORITY takes an integer of -9 to 9'] };
        },
        format({ mtPriority: priority }) {
          if (priority === undefined) return undefined;
          if (Number.isInteger(priority) && priority >= -9 && priority <= 9) return String(priority);
          throw new RangeError(`The priority ${priority} is no integer of -9 to 9 (RFC 6710 §3)`);
        },
      },
    ],
  };
}

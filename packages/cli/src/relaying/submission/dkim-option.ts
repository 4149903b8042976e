/** `--dkim DOMAIN:SELECTOR:KEYFILE`: by which keys mail is signed. */
import { comparableDomain } from '@sansmtp/delivery';
import { InvalidArgumentError } from 'commander';

export interface DkimOption {
  /** As `comparableDomain` gives it. */
  readonly domain: string;
  readonly selector: string;
  readonly keyFile: string;
}

/** RFC 6376 §3.1: labels, with dots between them. */
const SELECTOR = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

/** For an option that may be repeated. */
export function dkimOptions(text: string, previous: readonly DkimOption[] = []): readonly DkimOption[] {
  const [, name = '', selector = '', keyFile = ''] = /^([^:]*):([^:]*):(.+)$/s.exec(text) ?? [];
  const domain = comparableDomain(name);
  if (domain === undefined || domain.startsWith('[') || !SELECTOR.test(selector)) {
    throw new InvalidArgumentError('Give DOMAIN:SELECTOR:KEYFILE.');
  }
  if (previous.some((each) => each.domain === domain)) {
    throw new InvalidArgumentError(`${domain} has a key already.`);
  }
  return [...previous, { domain, selector, keyFile }];
}

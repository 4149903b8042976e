/** `--route DOMAIN=[lmtp://]HOST:PORT`: which domains' mail goes to which host, instead of to its mail exchangers. */
import { isIPv6 } from 'node:net';
import { comparableDomain } from '@sansmtp/delivery';
import { InvalidArgumentError } from 'commander';
import { host, port } from '../../option-values.js';

export interface NextHop {
  readonly protocol: 'smtp' | 'lmtp';
  readonly host: string;
  readonly port: number;
}

/** By the domain as `comparableDomain` gives it; `*` is for every domain that has no other. */
export type Routes = ReadonlyMap<string, NextHop>;

const FORM =
  'Give DOMAIN=HOST:PORT or DOMAIN=lmtp://HOST:PORT; DOMAIN may be *, an IPv6 address is in brackets.';

/** `HOST:PORT`; an IPv6 address is in brackets. */
export function hostAndPort(text: string, form = 'Give HOST:PORT; an IPv6 address is in brackets.') {
  const [, name = '', digits = ''] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  if (name === '' || (name.startsWith('[') && !isIPv6(name.slice(1, -1))))
    throw new InvalidArgumentError(form);
  return { host: host(name), port: port(digits) };
}

/** For an option that may be repeated. */
export function routes(text: string, previous: Routes = new Map()): Routes {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0));
  const domain = name === '*' ? name : comparableDomain(name);
  if (equals < 1 || domain === undefined) throw new InvalidArgumentError(FORM);
  if (previous.has(domain)) throw new InvalidArgumentError(`${domain} has a route already.`);
  const [, scheme, where = ''] = /^(lmtp:\/\/)?(.*)$/s.exec(text.slice(equals + 1)) ?? [];
  const hop = { protocol: scheme === undefined ? 'smtp' : 'lmtp', ...hostAndPort(where, FORM) } as const;
  return new Map([...previous, [domain, hop]]);
}

/** Where the mail of a domain goes; undefined: to its mail exchangers, or to the smart host. */
export function nextHopOf(all: Routes, domain: string): NextHop | undefined {
  return all.get(domain) ?? all.get('*');
}

/** Domains, address literals, mailboxes and paths as they stand in a command (RFC 5321 §4.1.2). */
import * as fc from 'fast-check';
import { damaged, type NearValid } from './near-valid.js';

const ATEXT = [..."abcXYZ019!#$%&'*+-/=?^_`{|}~"];
const QTEXT = [...'aZ0 .@<>()[]:;,', '\\"', '\\\\', '\\ '];
/** Of scripts that are written from either side, and one beyond the first plane. */
const INTERNATIONAL = [...'éß中ñक', '𐌰'];

const label = () => fc.stringMatching(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?$/);
const longLabel = () => fc.constantFrom('a', 'b-').map((unit) => `${unit.repeat(63).slice(0, 62)}z`);

/** A domain of letters, digits and hyphens, now and then with labels of 63 octets. Case is mixed. */
export function domain(): fc.Arbitrary<string> {
  const labels = fc.oneof({ weight: 15, arbitrary: label() }, { weight: 1, arbitrary: longLabel() });
  return fc
    .array(labels, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('.'))
    .filter((text) => text.length <= 255);
}

/** A domain that SMTPUTF8 allows (RFC 6531 §3.3). */
export function internationalDomain(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.string({ unit: fc.constantFrom(...'éßñ中'), minLength: 1, maxLength: 5 }), domain())
    .map(([first, rest]) => `${first}.${rest}`);
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3). */
export function addressLiteral(): fc.Arbitrary<string> {
  const ipv4 = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255))).map((octets) => octets.join('.'));
  const group = fc.nat(0xffff).map((value) => value.toString(16));
  const whole = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'));
  const compressed = fc
    .tuple(fc.array(group, { maxLength: 3 }), fc.array(group, { maxLength: 3 }))
    .map(([before, after]) => `${before.join(':')}::${after.join(':')}`);
  const withIpv4 = fc
    .tuple(fc.array(group, { maxLength: 2 }), ipv4)
    .map(([before, last]) => `${before.join(':')}::${last}`);
  return fc.oneof(
    ipv4.map((text) => `[${text}]`),
    fc.oneof(whole, compressed, withIpv4).map((text) => `[IPv6:${text}]`),
  );
}

/** A local-part as an atom with dots, or quoted; at most 64 octets (RFC 5321 §4.5.3.1.1). */
export function localPart(): fc.Arbitrary<string> {
  return localPartOf(ATEXT, QTEXT);
}

function localPartOf(atext: readonly string[], qtext: readonly string[]): fc.Arbitrary<string> {
  const atom = fc.string({ unit: fc.constantFrom(...atext), minLength: 1, maxLength: 8 });
  const dotString = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.'));
  const quoted = fc.string({ unit: fc.constantFrom(...qtext), maxLength: 12 }).map((text) => `"${text}"`);
  const longest = fc.constantFrom('a', 'a.b').map((unit) => unit.repeat(64).slice(0, 63).concat('z'));
  return fc.oneof(
    { weight: 8, arbitrary: dotString },
    { weight: 3, arbitrary: quoted },
    { weight: 1, arbitrary: longest },
  );
}

/** A mailbox such as `ann@example.org`, `"a b"@[192.0.2.1]`. */
export function mailbox(): fc.Arbitrary<string> {
  const host = fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: domain() },
    { weight: 1, arbitrary: addressLiteral() },
  );
  return fc.tuple(localPart(), host).map((parts) => parts.join('@'));
}

/** A mailbox that needs SMTPUTF8 (RFC 6531 §3.3). */
export function internationalMailbox(): fc.Arbitrary<string> {
  const local = fc
    .tuple(fc.constantFrom(...INTERNATIONAL), localPartOf([...ATEXT, ...INTERNATIONAL], QTEXT))
    .map(([first, rest]) => (rest.startsWith('"') ? `"${first}${rest.slice(1)}` : `${first}${rest}`));
  return fc
    .oneof(
      fc.tuple(local, fc.oneof(domain(), internationalDomain())),
      fc.tuple(localPart(), internationalDomain()),
    )
    .map((parts) => parts.join('@'));
}

/** A reverse-path with its angle brackets, now and then the null one, or with a source route. */
export function reversePath(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: mailbox().map((text) => `<${text}>`) },
    { weight: 2, arbitrary: fc.constant('<>') },
    { weight: 1, arbitrary: routed() },
  );
}

/** A forward-path with its angle brackets, now and then `<Postmaster>`, or with a source route (RFC 5321 §4.1.1.3). */
export function forwardPath(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: mailbox().map((text) => `<${text}>`) },
    { weight: 1, arbitrary: fc.constantFrom('<Postmaster>', '<postmaster>') },
    { weight: 1, arbitrary: routed() },
  );
}

const routed = () =>
  fc
    .tuple(
      fc.array(
        domain().map((text) => `@${text}`),
        { minLength: 1, maxLength: 2 },
      ),
      mailbox(),
    )
    .map(([route, text]) => `<${route.join(',')}:${text}>`);

/** A mailbox with one flaw. */
export function nearMailbox(): fc.Arbitrary<NearValid> {
  const parts = fc.record({
    local: localPartOf(ATEXT, QTEXT).filter((text) => !text.startsWith('"')),
    host: domain(),
  });
  return damaged(parts, [
    { flaw: 'no domain', damage: ({ local }) => local },
    { flaw: 'an empty domain', damage: ({ local }) => `${local}@` },
    { flaw: 'an empty local-part', damage: ({ host }) => `@${host}` },
    { flaw: 'two at signs', damage: ({ local, host }) => `${local}@${local}@${host}` },
    { flaw: 'a blank without quotes', damage: ({ local, host }) => `${local} ${local}@${host}` },
    { flaw: 'a quote that is not closed', damage: ({ local, host }) => `"${local}@${host}` },
    { flaw: 'text after the quotes', damage: ({ local, host }) => `"${local}"${local}@${host}` },
    { flaw: 'a control character', damage: ({ local, host }) => `${local}\u0007@${host}` },
    { flaw: 'a NUL in quotes', damage: ({ local, host }) => `"${local}\u0000"@${host}` },
    { flaw: 'an empty label', damage: ({ local, host }) => `${local}@${host}..${host}` },
    { flaw: 'a hyphen at the end of a label', damage: ({ local, host }) => `${local}@${host}-` },
    { flaw: 'a hyphen at the beginning of a label', damage: ({ local, host }) => `${local}@-${host}` },
    { flaw: 'a label of 64 octets', damage: ({ local }) => `${local}@${'a'.repeat(64)}.example` },
    {
      flaw: 'a domain of more than 255 octets',
      damage: ({ local }) => `${local}@${'a.'.repeat(130)}example`,
    },
    { flaw: 'an IPv4 address with an octet over 255', damage: ({ local }) => `${local}@[192.0.2.256]` },
    { flaw: 'an address literal that is not closed', damage: ({ local }) => `${local}@[192.0.2.1` },
    { flaw: 'an IPv6 address of nine groups', damage: ({ local }) => `${local}@[IPv6:1:2:3:4:5:6:7:8:9]` },
    { flaw: 'two dots in a row', tolerable: true, damage: ({ local, host }) => `${local}..${local}@${host}` },
    { flaw: 'a dot at the beginning', tolerable: true, damage: ({ local, host }) => `.${local}@${host}` },
    { flaw: 'a dot before the at sign', tolerable: true, damage: ({ local, host }) => `${local}.@${host}` },
    {
      flaw: 'a local-part of more than 64 octets',
      tolerable: true,
      damage: ({ host }) => `${'a'.repeat(65)}@${host}`,
    },
    {
      flaw: 'an underscore in the domain',
      tolerable: true,
      damage: ({ local, host }) => `${local}@_x.${host}`,
    },
    {
      flaw: 'a dot at the end of the domain',
      tolerable: true,
      damage: ({ local, host }) => `${local}@${host}.`,
    },
  ]);
}

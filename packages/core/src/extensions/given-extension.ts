/**
 * A service extension as it is given, perhaps by a program that is not compiled: what has another shape would be found by
 * the engine, or by a client, and a misspelt name by nobody.
 */
import { kindOf } from '../kind-of.js';
import { checkObject, namesOf } from '../option-names.js';
import type { ParameterRule, ServiceExtension } from './contract/extension.js';

const NAMES = namesOf<ServiceExtension>({
  keyword: true,
  offer: true,
  hidden: true,
  requires: true,
  mailParameters: true,
  rcptParameters: true,
  additionalMailOctets: true,
  additionalRcptOctets: true,
  verbs: true,
});

const RULE_NAMES = namesOf<ParameterRule<unknown>>({
  keyword: true,
  parse: true,
  format: true,
  isEssential: true,
});

/** @throws {TypeError} it is none; the message says what is wrong with it */
export function checkExtension(extension: ServiceExtension): void {
  if (typeof extension === 'function') {
    throw new TypeError('A service extension is a function; give what it makes: call it');
  }
  checkObject('The service extension', extension, NAMES);
  const { keyword, offer, verbs, mailParameters, rcptParameters } = extension;
  if (typeof keyword !== 'string') {
    throw new TypeError(
      `A service extension has no keyword; give it the word that EHLO lists: { keyword: 'XFOO' }`,
    );
  }
  const whose = `of the service extension ${keyword}`;
  if (offer !== undefined && typeof offer !== 'function') {
    throw new TypeError(`offer ${whose} is ${kindOf(offer)}; it takes a function, such as () => 'words'`);
  }
  checkEach(`verbs ${whose}`, verbs, 'words', (verb) => typeof verb === 'string');
  checkRules(`mailParameters ${whose}`, mailParameters);
  checkRules(`rcptParameters ${whose}`, rcptParameters);
}

function checkRules<Parameters>(what: string, rules: readonly ParameterRule<Parameters>[] | undefined): void {
  checkEach(what, rules, 'rules', (rule) => typeof rule === 'object' && rule !== null);
  for (const rule of rules ?? []) {
    checkObject(`A rule of ${what}: the property`, rule, RULE_NAMES);
    for (const name of ['parse', 'format'] as const) {
      if (typeof rule[name] === 'function') continue;
      throw new TypeError(`A rule of ${what} has no ${name}(); it takes a keyword, parse() and format()`);
    }
  }
}

function checkEach<Item>(
  what: string,
  list: readonly Item[] | undefined,
  items: string,
  isOne: (item: Item) => boolean,
): void {
  if (list === undefined || (Array.isArray(list) && list.every(isOne))) return;
  throw new TypeError(`${what} takes a list of ${items}`);
}

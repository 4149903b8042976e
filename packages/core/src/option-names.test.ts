import { describe, expect, it } from 'vitest';
import { checkNames, nearestName } from './option-names.js';

const known = ['hostname', 'maximumMessageSize', 'timeouts', 'startTls'];

describe('names of options', () => {
  it('pass where they are known, and where there are none', () => {
    expect(() => checkNames('The option', { hostname: 'a', startTls: 'none' }, known)).not.toThrow();
    expect(() => checkNames('The option', undefined, known)).not.toThrow();
  });

  it.each([
    ['hostName', 'hostname'],
    ['hostnmae', 'hostname'],
    ['host_name', 'hostname'],
    ['starttls', 'startTls'],
    ['maxMessageSize', 'maximumMessageSize'],
    ['timeout', 'timeouts'],
  ])('%s: did you mean %s?', (name, meant) => {
    expect(() => checkNames('The option', { [name]: 1 }, known)).toThrow(
      new TypeError(`The option ${name} is not known: did you mean ${meant}?`),
    );
  });

  it('are all listed where none is near', () => {
    expect(() => checkNames('The option', { colour: 1 }, known)).toThrow(
      'The option colour is not known: known are hostname, maximumMessageSize, timeouts, startTls',
    );
  });

  it('say where they stand', () => {
    expect(() => checkNames('The option', { Idle: 1 }, ['idle'], 'timeouts.')).toThrow(
      'The option timeouts.Idle is not known: did you mean timeouts.idle?',
    );
  });

  it('are those of an object', () => {
    expect(() => checkNames('The option', 5 as never, ['idle'], 'timeouts.')).toThrow(
      'The option timeouts is 5; give an object: { idle }',
    );
  });

  it('are found quickly, however long a name is', () => {
    expect(nearestName('x'.repeat(1_000_000), known)).toBeUndefined();
  });
});

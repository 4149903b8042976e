import { describe, expect, it } from 'vitest';
import { effect, on } from '../descriptions.test-support.js';
import { effectsOf, sentencesOf, triggersOf } from './wording.js';

const nothing = () => undefined;

describe('triggers', () => {
  it('stand in their order, each once', () => {
    expect(triggersOf([on('knock'), on('ring'), on('knock')])).toEqual(['knock', 'ring']);
  });

  it('stand together if they differ only behind the last dot', () => {
    const transitions = [on('command.EHLO'), on('quit'), on('command.*'), on('reply.421')];
    expect(triggersOf(transitions)).toEqual(['command.EHLO|*', 'quit', 'reply.421']);
  });

  it('name deadlines by their delays', () => {
    expect(triggersOf([on('after idle'), on('after 250'), on('idle')])).toEqual(['after idle|250', 'idle']);
  });
});

describe('sentences', () => {
  it('give trigger, guard, effects and target', () => {
    const transition = on('knock', { guard: 'patient', target: 'house.hall', actions: [effect('ring')] });
    expect(sentencesOf([transition], (path) => path)).toEqual(['knock [patient] / ring → house.hall']);
  });

  it('give no more than there is', () => {
    expect(sentencesOf([on('knock', { target: 'open' })], nothing)).toEqual(['knock']);
  });

  it('are one for what differs only in its trigger', () => {
    const shout = [effect('shout')];
    const transitions = [on('knock', { actions: shout }), on('ring'), on('kick', { actions: shout })];
    expect(sentencesOf(transitions, nothing)).toEqual(['knock, kick / shout', 'ring']);
  });

  it('are two for what differs in its guard, its effects or its target', () => {
    const base = { guard: 'g', target: 't', actions: [effect('e')] };
    const others = [{ guard: 'h' }, { target: 'u' }, { actions: [effect('e', { p: 1 })] }];
    for (const other of others) {
      expect(sentencesOf([on('x', base), on('y', { ...base, ...other })], (path) => path)).toHaveLength(2);
    }
  });
});

describe('effects', () => {
  it('give their parameters', () => {
    expect(effectsOf([effect('reply', { code: 250, text: 'ok' }), effect('close')])).toBe(
      'reply 250 ok, close',
    );
  });

  it('leave out assigns', () => {
    expect(effectsOf([{ kind: 'assign', name: 'count' }, effect('ring')])).toBe('ring');
    expect(effectsOf([{ kind: 'assign', name: 'count' }])).toBe('');
  });
});

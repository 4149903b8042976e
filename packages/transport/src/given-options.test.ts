import { describe, expect, it } from 'vitest';
import { checkClock, checkHandlers } from './given-options.js';

const onMessage = () => {};

describe('handlers', () => {
  it('need onMessage alone', () => {
    expect(() => checkHandlers({ onMessage })).not.toThrow();
    expect(() => checkHandlers({ onMessage, onRcptTo: undefined } as never)).not.toThrow();
  });

  it.each([
    [undefined, 'The handlers are missing; a server takes { onMessage({ body }) { … } } at least'],
    [{}, 'The handler onMessage is missing; it takes a function'],
    [{ onMessage, onRcptto: onMessage }, 'The handler onRcptto is not known: did you mean onRcptTo?'],
    [{ onMessage, onMail: onMessage }, 'The handler onMail is not known: did you mean onMailFrom?'],
    [{ onMessage, log: onMessage }, 'The handler log is not known: known are createState, '],
    [{ onMessage: 'store' }, 'The handler onMessage is a string; it takes a function'],
  ])('are refused: %j, %s', (handlers, message) => {
    expect(() => checkHandlers(handlers as never)).toThrow(message);
  });

  it('may be methods of a class, which may have others', () => {
    class Reception {
      readonly store = new Map();
      onMessage() {}
      onboard() {}
    }
    expect(() => checkHandlers(new Reception())).not.toThrow();
    class Misspelt extends Reception {
      onRctpTo() {}
    }
    expect(() => checkHandlers(new Misspelt())).toThrow('did you mean onRcptTo?');
  });
});

describe('a clock', () => {
  it.each([[undefined], [null], [{}], [Date]])('%s is none', (clock) => {
    expect(() => checkClock(clock as never)).toThrow('The option clock is missing, or no clock');
  });
});

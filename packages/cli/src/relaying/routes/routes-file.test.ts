import { describe, expect, it } from 'vitest';
import { routes } from './routes.js';
import { parseRoutes } from './routes-file.js';

const GIVEN = routes('given.example=127.0.0.1:25');
const parse = (text: string) => parseRoutes(Buffer.from(text, 'latin1'), GIVEN);

describe('--routes-file', () => {
  it('has a route a line, and adds to those of --route', () => {
    const all = parse('# shops\n\n shop.example=lmtp://10.0.0.7:24\r\n*=[::1]:25');
    expect([...all.keys()]).toEqual(['given.example', 'shop.example', '*']);
    expect(all.get('shop.example')).toEqual({ protocol: 'lmtp', host: '10.0.0.7', port: 24 });
  });

  it.each([
    ['a.example=h:25\nb.example', 'line 2: Give DOMAIN=HOST:PORT'],
    ['GIVEN.example=h:25', 'line 1: given.example has a route already'],
    ['#\na.example=h:25\na.example.=h:26', 'line 3: a.example has a route already'],
    ['\xff', 'it is not UTF-8'],
  ])('%j: %s', (text, problem) => {
    expect(() => parse(text)).toThrow(problem);
  });
});

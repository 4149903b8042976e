import { expect, it } from 'vitest';
import { standing } from '../parameters.test-support.js';
import { offeredKeywords } from '../table.js';
import { startTls } from './start-tls.js';

it('STARTTLS is offered while it may be used (RFC 3207 §4.2)', () => {
  expect(offeredKeywords([startTls], standing)).toEqual(['STARTTLS']);
  expect(offeredKeywords([startTls], { ...standing, startTls: false })).toEqual([]);
});

import { expect, it } from 'vitest';
import { ExtensionNotOfferedError } from './not-offered.js';

it.each([
  ['SMTPUTF8', '5.6.7'],
  ['BINARYMIME', '5.6.1'],
  ['REQUIRETLS', '5.7.30'],
  ['RRVS', '5.7.19'],
  ['FUTURERELEASE', '5.5.4'],
  ['X-CUSTOM', '5.5.4'],
])('says which extension is missing, and with what reply to refuse the mail: %s', (keyword, enhancedCode) => {
  const error = new ExtensionNotOfferedError(keyword);
  expect(error).toMatchObject({
    name: 'ExtensionNotOfferedError',
    message: `The mail needs ${keyword}, which the server does not offer; send it by another server, or without`,
    keyword,
    responseCode: 554,
    enhancedCode,
  });
});

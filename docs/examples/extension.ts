import { type ServiceExtension, standardExtensions } from '@sansmtp/core';
import { startMailServer } from '@sansmtp/transport-node';

const COLOURS = ['red', 'green', 'blue'];

export const colours: ServiceExtension = {
  keyword: 'XCOLOUR',
  offer: () => COLOURS.join(' '),
  additionalMailOctets: ' XCOLOUR=green'.length,
  mailParameters: [
    {
      keyword: 'XCOLOUR',
      parse: (value = '') =>
        COLOURS.includes(value)
          ? { custom: { XCOLOUR: value } }
          : { code: 501, enhancedCode: '5.5.4', lines: [`XCOLOUR takes one of ${COLOURS}`] },
      format: ({ custom }) => (custom?.XCOLOUR === undefined ? undefined : String(custom.XCOLOUR)),
    },
  ],
  verbs: ['XCOLOURS'],
};

export const server = await startMailServer({
  addresses: [{ port: 0 }],
  session: { extensions: [...standardExtensions, colours] },
  handlers: {
    onExtension: () => ({ code: 250, enhancedCode: '2.0.0', lines: COLOURS }),
    onMessage: ({ envelope }) => console.log('A message in', envelope.parameters.custom?.XCOLOUR),
  },
});

export type { SecuredWebPair, WebPair, WebReader, WebWriter } from './web-pair.js';
export { type WebStreamOptions, webStream } from './web-stream.js';

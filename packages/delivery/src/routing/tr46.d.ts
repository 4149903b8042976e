/** What is used of tr46, which brings no types of its own. */
declare module 'tr46' {
  export interface ProcessingOptions {
    readonly checkBidi?: boolean;
    readonly checkHyphens?: boolean;
    readonly checkJoiners?: boolean;
    readonly transitionalProcessing?: boolean;
    readonly useSTD3ASCIIRules?: boolean;
    readonly verifyDNSLength?: boolean;
  }
  interface Processing {
    /** `null`: the text is no domain. */
    toASCII(domain: string, options: ProcessingOptions): string | null;
    toUnicode(
      domain: string,
      options: ProcessingOptions,
    ): { readonly domain: string; readonly error: boolean };
  }
  const processing: Processing;
  export default processing;
}

export { type SignedRequest, sign, signatureHeader, verify } from './signature.ts';

import { kernelErrors } from '../errors.ts';

declare const kind: unique symbol;

/** Six bytes in lower-case hexadecimal with colons: equal addresses are equal strings. */
export type Mac = string & { readonly [kind]: 'mac' };

export function parseMac(text: string): Mac {
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text)) {
    throw kernelErrors.error('KERNEL_BAD_VALUE', `${JSON.stringify(text)} is not a MAC address`, {
      details: { value: text },
    });
  }
  return text.toLowerCase() as Mac;
}

export function macBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}

/** Nothing where the link has an address of another kind (a tunnel's end, InfiniBand) or none. */
export function macFromBytes(bytes: Uint8Array): Mac | undefined {
  if (bytes.length !== 6) return undefined;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') as Mac;
}

import {
  ByteReader,
  ByteWriter,
  domainNames,
  type Ipv4,
  ipv4Bytes,
  ipv4FromBytes,
  putDomainName,
  readIpv4,
  textBytes,
  textFrom,
} from '../wire/index.ts';

/** How the content of one kind of option is read and written. What does not fit the format reads as nothing. */
export interface OptionFormat<T> {
  readonly decode: (content: Uint8Array) => T | undefined;
  readonly encode: (value: T) => Uint8Array;
}

export interface ClasslessRoute {
  readonly destination: Ipv4;
  readonly prefixLength: number;
  readonly gateway: Ipv4;
}

/** A route by address class (option 33): to one host, as nobody has used classes for thirty years. */
export interface StaticRoute {
  readonly destination: Ipv4;
  readonly gateway: Ipv4;
}

export const raw: OptionFormat<Uint8Array> = {
  decode: (content) => content.slice(),
  encode: (value) => value,
};

export const ipv4: OptionFormat<Ipv4> = {
  decode: (content) => (content.length === 4 ? ipv4FromBytes(content) : undefined),
  encode: ipv4Bytes,
};

export const ipv4List: OptionFormat<readonly Ipv4[]> = {
  decode(content) {
    if (content.length === 0 || content.length % 4 !== 0) return undefined;
    const reader = new ByteReader(content);
    return Array.from({ length: content.length / 4 }, () => readIpv4(reader));
  },
  encode(value) {
    const writer = new ByteWriter();
    for (const address of value) writer.put(ipv4Bytes(address));
    return writer.bytes();
  },
};

export const u16: OptionFormat<number> = {
  decode: (content) => (content.length === 2 ? new ByteReader(content).u16() : undefined),
  encode: (value) => new ByteWriter().u16(value).bytes(),
};

export const u32: OptionFormat<number> = {
  decode: (content) => (content.length === 4 ? new ByteReader(content).u32() : undefined),
  encode: (value) => new ByteWriter().u32(value).bytes(),
};

export const codes: OptionFormat<readonly number[]> = {
  decode: (content) => (content.length === 0 ? undefined : Array.from(content)),
  encode: (value) => Uint8Array.from(value),
};

export const text: OptionFormat<string> = { decode: textFrom, encode: textBytes };

export const domainSearch: OptionFormat<readonly string[]> = {
  decode(content) {
    const names = domainNames(content);
    return names === undefined || names.length === 0 ? undefined : names;
  },
  encode(value) {
    const writer = new ByteWriter();
    for (const name of value) putDomainName(writer, name);
    return writer.bytes();
  },
};

export const staticRoutes: OptionFormat<readonly StaticRoute[]> = {
  decode(content) {
    if (content.length === 0 || content.length % 8 !== 0) return undefined;
    const reader = new ByteReader(content);
    return Array.from({ length: content.length / 8 }, () => ({
      destination: readIpv4(reader),
      gateway: readIpv4(reader),
    }));
  },
  encode(value) {
    const writer = new ByteWriter();
    for (const route of value) writer.put(ipv4Bytes(route.destination)).put(ipv4Bytes(route.gateway));
    return writer.bytes();
  },
};

/** RFC 3442: a destination carries only as many bytes as its prefix needs. */
export const classlessRoutes: OptionFormat<readonly ClasslessRoute[]> = {
  decode(content) {
    const reader = new ByteReader(content);
    const routes: ClasslessRoute[] = [];
    while (reader.remaining > 0) {
      const prefixLength = reader.u8();
      if (prefixLength > 32) return undefined;
      const destination = new Uint8Array(4);
      destination.set(reader.take(Math.ceil(prefixLength / 8)));
      routes.push({
        destination: maskedIpv4(destination, prefixLength),
        prefixLength,
        gateway: readIpv4(reader),
      });
    }
    return reader.overrun || routes.length === 0 ? undefined : routes;
  },
  encode(value) {
    const writer = new ByteWriter();
    for (const { destination, prefixLength, gateway } of value) {
      writer.u8(prefixLength).put(ipv4Bytes(destination).subarray(0, Math.ceil(prefixLength / 8)));
      writer.put(ipv4Bytes(gateway));
    }
    return writer.bytes();
  },
};

/** Bits behind the prefix are to be ignored (RFC 3442), so they are gone from here on. */
function maskedIpv4(bytes: Uint8Array, prefixLength: number): Ipv4 {
  const partial = prefixLength % 8;
  const last = Math.floor(prefixLength / 8);
  if (partial !== 0) bytes[last] = (bytes[last] ?? 0) & (0xff00 >>> partial);
  return ipv4FromBytes(bytes);
}

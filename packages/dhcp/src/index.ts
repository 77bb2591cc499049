/** DHCPv4, DHCPv6 and router advertisements: codecs and pure client machines. No I/O. */
export {};

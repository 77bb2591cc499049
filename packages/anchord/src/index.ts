/** The network anchor: one address of its own for a Compose project, in all modes. */
export {};

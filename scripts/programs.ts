/** The programs that are released: what `npm run build` bundles and the images contain. */
export interface Program {
  readonly name: string;
  readonly entry: string;
  /** Speaks to the kernel by system calls of its own, and so needs the foreign function interface. */
  readonly native: boolean;
  /** What is to start as quickly as it can: a module that the entry imports while it runs, bundled in one piece. */
  readonly quick?: { readonly name: string; readonly entry: string };
}

export const programs: readonly Program[] = [
  {
    name: 'anchord',
    entry: 'packages/anchord/src/main.ts',
    native: true,
    quick: { name: 'service-anchor', entry: 'packages/anchord/src/modes/service-anchor.ts' },
  },
  { name: 'docker-backend', entry: 'packages/backend/src/main.ts', native: true },
];

/** The YAML parser behind a name of ours, which it keeps in the bundle as well: so it can be loaded late. */
export * as yaml from 'yaml';

import type { VolumeCreateOptions } from '@docker/node-sdk';
import type { CallOptions, Filters } from '../http/index.ts';

export interface Volume {
  readonly name: string;
  readonly driver: string;
  /** On the engine's host. */
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

export interface Volumes {
  list(filters?: Filters, options?: CallOptions): Promise<Volume[]>;
  inspect(name: string, options?: CallOptions): Promise<Volume>;
  /** Returns the volume of that name if there is one already. */
  create(request: VolumeCreateOptions, options?: CallOptions): Promise<Volume>;
  remove(name: string, options?: CallOptions): Promise<void>;
}

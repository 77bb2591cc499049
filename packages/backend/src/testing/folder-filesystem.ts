/** Volumes as plain folders, without quotas: for tests of what stands on them, with faults at any step. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { QuotaFilesystem, QuotaVolumes, VolumeDestroyer } from '@berth/kernel/filesystems';
import { inMemory } from './store-folder.ts';

export type FolderStep = 'create' | 'ensureQuota' | 'rename' | 'destroy' | 'list' | 'label' | 'usage';

export class FolderFilesystem implements QuotaFilesystem, QuotaVolumes, Disposable {
  readonly kind = 'btrfs';
  readonly root: string;
  readonly quotas = new Map<string, number>();
  readonly labels = new Map<string, string>();
  /** Volumes in which something was made that no quota covers. */
  readonly escaped = new Set<string>();
  /** Every step that was taken, in order: `destroy fred-...`. */
  readonly steps: string[] = [];
  /** Called before each step; what it throws, the step does. */
  before: (step: FolderStep, name: string) => void | Promise<void> = () => undefined;
  readonly volumes: QuotaVolumes = this;
  readonly destroyer: VolumeDestroyer = { destroy: (name) => this.#destroy(name) };

  constructor() {
    this.root = mkdtempSync(join(inMemory, 'berth-volumes-'));
  }

  async #begin(step: FolderStep, name: string): Promise<string> {
    await this.before(step, name);
    this.steps.push(`${step} ${name}`.trim());
    return this.hostPath(name);
  }

  async validate(): Promise<void> {
    await this.before('list', '');
  }

  hostPath(name: string): string {
    return join(this.root, name);
  }

  async list(): Promise<readonly string[]> {
    await this.#begin('list', '');
    return readdirSync(this.root)
      .filter((name) => name.startsWith('fred-'))
      .sort();
  }

  async create(name: string, sizeMb: number, label?: string): Promise<{ path: string; created: boolean }> {
    const path = await this.#begin('create', name);
    const created = !existsSync(path);
    if (created) {
      mkdirSync(path);
      if (label !== undefined) this.labels.set(name, label);
    }
    this.quotas.set(name, sizeMb);
    return { path, created };
  }

  async label(name: string): Promise<string | undefined> {
    await this.#begin('label', name);
    if (!existsSync(this.hostPath(name))) throw new Error(`${name} is not there`);
    return this.labels.get(name);
  }

  async setLabel(name: string, label: string): Promise<void> {
    await this.#begin('label', name);
    this.labels.set(name, label);
  }

  async ensureQuota(name: string, sizeMb: number): Promise<void> {
    const path = await this.#begin('ensureQuota', name);
    if (existsSync(path)) this.quotas.set(name, sizeMb);
  }

  async escaping(): Promise<readonly string[]> {
    return [...this.escaped];
  }

  async rename(from: string, to: string): Promise<void> {
    const path = await this.#begin('rename', `${from} ${to}`).then(() => this.hostPath(from));
    const target = this.hostPath(to);
    if (existsSync(path) === existsSync(target)) throw new Error(`${from} and ${to}: both or neither`);
    if (!existsSync(path)) return;
    renameSync(path, target);
    for (const map of [this.labels, this.quotas] as Map<string, unknown>[]) {
      if (map.has(from)) map.set(to, map.get(from));
      map.delete(from);
    }
  }

  async usage(name: string): Promise<number> {
    const path = await this.#begin('usage', name);
    const entries = readdirSync(path, { recursive: true, encoding: 'utf8' });
    return entries.reduce((sum, entry) => sum + statSync(join(path, entry)).size, 0);
  }

  async #destroy(name: string): Promise<void> {
    const path = await this.#begin('destroy', name);
    rmSync(path, { recursive: true, force: true });
    this.labels.delete(name);
    this.quotas.delete(name);
  }

  /** As if the disk had been copied: what is in it, and nothing of what is remembered. */
  copyTo(folder: string): void {
    cpSync(this.root, folder, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

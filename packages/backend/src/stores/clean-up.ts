/** Old entries leave the stores: one store that cannot be cleaned up keeps no other from it. */
type Component = 'callback' | 'diagnostics' | 'releases' | 'retention';

export function cleanUpStores(
  cleanUps: Readonly<Partial<Record<Component, () => void>>>,
  failed: (component: Component, error: unknown) => void,
): void {
  for (const [component, cleanUp] of Object.entries(cleanUps)) {
    try {
      cleanUp();
    } catch (error) {
      failed(component as Component, error);
    }
  }
}

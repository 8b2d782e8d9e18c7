/**
 * Carries connections to workers that can't be dialled, over streams that those workers opened
 * themselves. It reads nothing of what it carries; it counts, paces and ends it.
 */
@NullMarked
package coop.sahkar.coordinator.relay;

import org.jspecify.annotations.NullMarked;

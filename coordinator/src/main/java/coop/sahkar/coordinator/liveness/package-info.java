/** Who is here and how they fare. Soft state: kept in memory, never replicated. */
@NullMarked
package coop.sahkar.coordinator.liveness;

import org.jspecify.annotations.NullMarked;

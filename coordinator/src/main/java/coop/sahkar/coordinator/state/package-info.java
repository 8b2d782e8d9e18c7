/** The replicated state of the pool and the one function that changes it. Pure. */
@NullMarked
package coop.sahkar.coordinator.state;

import org.jspecify.annotations.NullMarked;

/** A coordinator: the parts below it put together, started and stopped as one. */
@NullMarked
package coop.sahkar.coordinator;

import org.jspecify.annotations.NullMarked;

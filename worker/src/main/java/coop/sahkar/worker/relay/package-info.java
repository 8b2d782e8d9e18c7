/**
 * Reaching workers that can't be dialled, and being reached as one: connections are carried by a
 * coordinator over calls that this worker opens.
 */
@NullMarked
package coop.sahkar.worker.relay;

import org.jspecify.annotations.NullMarked;

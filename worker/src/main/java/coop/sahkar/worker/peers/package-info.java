/** Measures how far other workers are, as coordinators ask, so that routes can be drawn by it. */
@NullMarked
package coop.sahkar.worker.peers;

import org.jspecify.annotations.NullMarked;

/** The gRPC services for workers, publishers and people who look. */
@NullMarked
package coop.sahkar.coordinator.control;

import org.jspecify.annotations.NullMarked;

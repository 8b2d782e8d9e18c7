/** Tests of the gateway against scripted heads. */
@NullMarked
package coop.sahkar.coordinator.gateway;

import org.jspecify.annotations.NullMarked;

/**
 * A pool in virtual time: the production placement, routing, liveness and reconciling against
 * workers, disks and a network that a seed makes up and breaks. The same seed gives the same run.
 */
@NullMarked
package coop.sahkar.deploy.simulate;

import org.jspecify.annotations.NullMarked;

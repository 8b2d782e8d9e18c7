/** Several machines made out of this one, with networks between them that can be broken. */
@NullMarked
package coop.sahkar.deploy.network;

import org.jspecify.annotations.NullMarked;

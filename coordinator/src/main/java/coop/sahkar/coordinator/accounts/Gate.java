package coop.sahkar.coordinator.accounts;

import coop.sahkar.coordinator.limits.Allowances;
import coop.sahkar.coordinator.limits.UsedSoFar;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Everything at the door of a pool.
 *
 * @param doorkeeper tells whose a request is
 * @param allowances what accounts may use now
 * @param desk makes keys and changes the policy
 * @param used what the limits remember; empty where another coordinator leads and knows
 */
public record Gate(
        Doorkeeper doorkeeper,
        Allowances allowances,
        AccountDesk desk,
        Supplier<Optional<List<UsedSoFar>>> used) {}

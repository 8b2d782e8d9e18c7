package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.placement.PlacementDecision;
import coop.sahkar.coordinator.placement.PoolSight;
import coop.sahkar.coordinator.state.Command;
import java.util.List;
import java.util.SortedMap;

/** What decides on placements in a coordinator, from its start to its end. */
interface Planning {
    /** What to propose now. */
    List<Command> decide(PoolSight sight);

    /** Plans made since it began. */
    long plansMade();

    /** Why models cannot be placed whole, by model id. */
    SortedMap<String, String> shortfalls();

    /** What decides in production. */
    static Planning production() {
        PlacementDecision decision = new PlacementDecision();
        return new Planning() {
            @Override
            public List<Command> decide(PoolSight sight) {
                return decision.decide(sight);
            }

            @Override
            public long plansMade() {
                return decision.plansMade();
            }

            @Override
            public SortedMap<String, String> shortfalls() {
                return decision.shortfalls();
            }
        };
    }
}

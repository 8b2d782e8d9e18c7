package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.routing.Coverage;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What the planner promises, checked from outside. */
final class PlanRules {
    private PlanRules() {}

    static void check(Plan plan, List<PlanModel> models, List<PlanWorker> workers) {
        Map<String, PlanModel> byId =
                models.stream().collect(Collectors.toMap(PlanModel::id, Function.identity()));
        for (PlanWorker worker : workers) {
            long used = 0;
            for (AssignedShard s : plan.assignments().getOrDefault(worker.id(), List.of())) {
                PlanModel model = byId.get(s.modelId());
                assertThat(model).isNotNull();
                used += new Costs(model.footprint()).bytes(s.span(), s.kvCells());
                assertThat(model.cuts().allow(s.span())).as("%s of %s", s, model.cuts()).isTrue();
            }
            assertThat(used).isLessThanOrEqualTo(worker.memoryBytes());
        }
        for (PlanModel model : models) {
            List<Span> served = new ArrayList<>();
            plan.assignments().values().stream()
                    .flatMap(List::stream)
                    .filter(s -> s.modelId().equals(model.id()))
                    .forEach(s -> served.add(s.span()));
            boolean whole = Coverage.missing(model.footprint().blockCount(), served).isEmpty();
            assertThat(whole).isEqualTo(!plan.shortfalls().containsKey(model.id()));
        }
    }
}

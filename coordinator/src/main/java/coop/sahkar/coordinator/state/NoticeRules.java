package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Command.GiveNotice;
import coop.sahkar.coordinator.state.Refusal.Reason;
import java.util.SortedMap;
import java.util.TreeMap;

/** When a model may go: no sooner than its users were promised. Pure. */
final class NoticeRules {
    private static final int SECOND = 1_000;

    private NoticeRules() {}

    static Step give(PoolState state, GiveNotice notice) {
        ModelRecord model = state.models().get(notice.modelId());
        if (model == null) {
            return Step.refuse(
                    state,
                    Reason.NOT_FOUND,
                    "no model %s is published".formatted(notice.modelId()));
        }
        int promised = state.policy().withdrawalNoticeSeconds();
        long given = notice.goneAtMillis() - notice.atMillis();
        if (notice.goneAtMillis() != 0 && given < (long) promised * SECOND) {
            return Step.refuse(
                    state,
                    Reason.INVALID,
                    "users are promised %s s of notice before a model goes, this is %s s; the policy's pool.withdrawal_notice_seconds says so"
                            .formatted(promised, given / SECOND));
        }
        SortedMap<String, ModelRecord> models = new TreeMap<>(state.models());
        models.put(model.id(), model.goneAt(notice.goneAtMillis()));
        return Step.to(StateChange.models(state, models));
    }
}

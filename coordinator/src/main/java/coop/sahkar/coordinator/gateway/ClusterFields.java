package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.GroupMember;
import coop.sahkar.proto.v1.GroupReply;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The group of coordinators as JSON objects and lists. */
public final class ClusterFields {
    private ClusterFields() {}

    public static Map<String, Object> of(GroupReply group) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("group", group.getGroupId());
        fields.put("coordinator", group.getCoordinatorId());
        fields.put("leader", group.getLeaderId());
        fields.put("term", group.getTerm());
        fields.put("applied_index", group.getAppliedIndex());
        fields.put("feature_level", group.getLevel());
        List<Map<String, Object>> members = new ArrayList<>();
        for (GroupMember member : group.getMembersList()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("id", member.getId());
            one.put("raft", member.getRaft());
            one.put("gateway", member.getGateway());
            one.put("commit_index", member.getCommitIndex());
            one.put("knows_level", member.getKnowsLevel());
            members.add(one);
        }
        fields.put("members", members);
        return fields;
    }
}

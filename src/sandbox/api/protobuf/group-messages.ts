/**
 * Field numbers of the messages of k8s.io/api and k8s.io/apimachinery (v0.37, Apache-2.0, generated.proto and the JSON tags of
 * types.go), for the kinds that are served here. `NUMBER=NAME:TYPE`; `~` instead of `=`: a zero value means not set; without
 * a name the message's fields belong to the one around it. Types: s text, i integer, b boolean, y bytes, f float, t time,
 * u time with microseconds, q quantity, x integer or text, d duration, e list in a message, j JSON, or a message; `r:` a
 * list of, `m:` a map of text to.
 */
export const groupMessages: Readonly<Record<string, string>> = {
  Deployment: '1~metadata:ObjectMeta 2~spec:DeploymentSpec 3~status:DeploymentStatus',
  ReplicaSet: '1~metadata:ObjectMeta 2~spec:ReplicaSetSpec 3~status:ReplicaSetStatus',
  StatefulSet: '1~metadata:ObjectMeta 2~spec:StatefulSetSpec 3~status:StatefulSetStatus',
  DaemonSet: '1~metadata:ObjectMeta 2~spec:DaemonSetSpec 3~status:DaemonSetStatus',
  Job: '1~metadata:ObjectMeta 2~spec:JobSpec 3~status:JobStatus',
  HorizontalPodAutoscaler:
    '1~metadata:ObjectMeta 2~spec:HorizontalPodAutoscalerSpec 3~status:HorizontalPodAutoscalerStatus',
  Scale: '1~metadata:ObjectMeta 2~spec:ScaleSpec 3~status:ScaleStatus',
  TokenRequest: '1~metadata:ObjectMeta 2=spec:TokenRequestSpec 3~status:TokenRequestStatus',
  TokenReview: '1~metadata:ObjectMeta 2=spec:TokenReviewSpec 3~status:TokenReviewStatus',
  SelfSubjectReview: '1~metadata:ObjectMeta 2~status:SelfSubjectReviewStatus',
  SubjectAccessReview:
    '1~metadata:ObjectMeta 2=spec:SubjectAccessReviewSpec 3~status:SubjectAccessReviewStatus',
  SelfSubjectAccessReview:
    '1~metadata:ObjectMeta 2=spec:SelfSubjectAccessReviewSpec 3~status:SubjectAccessReviewStatus',
  LocalSubjectAccessReview:
    '1~metadata:ObjectMeta 2=spec:SubjectAccessReviewSpec 3~status:SubjectAccessReviewStatus',
  SelfSubjectRulesReview:
    '1~metadata:ObjectMeta 2=spec:SelfSubjectRulesReviewSpec 3~status:SubjectRulesReviewStatus',
  Role: '1~metadata:ObjectMeta 2=rules:r:PolicyRule',
  RoleBinding: '1~metadata:ObjectMeta 2~subjects:r:Subject 3=roleRef:RoleRef',
  ClusterRole: '1~metadata:ObjectMeta 2=rules:r:PolicyRule 3=aggregationRule:AggregationRule',
  ClusterRoleBinding: '1~metadata:ObjectMeta 2~subjects:r:Subject 3=roleRef:RoleRef',
  MutatingWebhookConfiguration: '1~metadata:ObjectMeta 2~webhooks:r:MutatingWebhook',
  ValidatingWebhookConfiguration: '1~metadata:ObjectMeta 2~webhooks:r:ValidatingWebhook',
  Lease: '1~metadata:ObjectMeta 2~spec:LeaseSpec',
  EndpointSlice:
    '1~metadata:ObjectMeta 4=addressType:s 2=endpoints:r:Endpoint 3=ports:r:EndpointPort@discovery',
  Ingress: '1~metadata:ObjectMeta 2~spec:IngressSpec 3~status:IngressStatus',
  IngressClass: '1~metadata:ObjectMeta 2~spec:IngressClassSpec',
  PodDisruptionBudget:
    '1~metadata:ObjectMeta 2~spec:PodDisruptionBudgetSpec 3~status:PodDisruptionBudgetStatus',
  DeleteOptions:
    '1=gracePeriodSeconds:i 2=preconditions:Preconditions 3=orphanDependents:b 4=propagationPolicy:s 5~dryRun:r:s 6=ignoreStoreReadErrorWithClusterBreakingPotential:b',
  ObjectMeta:
    '1~name:s 2~generateName:s 3~namespace:s 4~selfLink:s 5~uid:s 6~resourceVersion:s 7~generation:i 8~creationTimestamp:t 9=deletionTimestamp:t 10=deletionGracePeriodSeconds:i 11~labels:m:s 12~annotations:m:s 13~ownerReferences:r:OwnerReference 14~finalizers:r:s 17~managedFields:r:ManagedFieldsEntry',
  DeploymentSpec:
    '1=replicas:i 2=selector:LabelSelector 3=template:PodTemplateSpec 4~strategy:DeploymentStrategy 5~minReadySeconds:i 6=revisionHistoryLimit:i 7~paused:b 9=progressDeadlineSeconds:i',
  DeploymentStatus:
    '1~observedGeneration:i 2~replicas:i 3~updatedReplicas:i 7~readyReplicas:i 4~availableReplicas:i 5~unavailableReplicas:i 9=terminatingReplicas:i 6~conditions:r:DeploymentCondition 8=collisionCount:i',
  ReplicaSetSpec: '1=replicas:i 4~minReadySeconds:i 2=selector:LabelSelector 3~template:PodTemplateSpec',
  ReplicaSetStatus:
    '1=replicas:i 2~fullyLabeledReplicas:i 4~readyReplicas:i 5~availableReplicas:i 7=terminatingReplicas:i 3~observedGeneration:i 6~conditions:r:ReplicaSetCondition',
  StatefulSetSpec:
    '1=replicas:i 2=selector:LabelSelector 3=template:PodTemplateSpec 4~volumeClaimTemplates:r:PersistentVolumeClaim 5=serviceName:s 6~podManagementPolicy:s 7~updateStrategy:StatefulSetUpdateStrategy 8=revisionHistoryLimit:i 9~minReadySeconds:i 10=persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy 11=ordinals:StatefulSetOrdinals',
  StatefulSetStatus:
    '1~observedGeneration:i 2=replicas:i 3~readyReplicas:i 4~currentReplicas:i 5~updatedReplicas:i 6~currentRevision:s 7~updateRevision:s 9=collisionCount:i 10~conditions:r:StatefulSetCondition 11=availableReplicas:i',
  DaemonSetSpec:
    '1=selector:LabelSelector 2=template:PodTemplateSpec 3~updateStrategy:DaemonSetUpdateStrategy 4~minReadySeconds:i 6=revisionHistoryLimit:i',
  DaemonSetStatus:
    '1=currentNumberScheduled:i 2=numberMisscheduled:i 3=desiredNumberScheduled:i 4=numberReady:i 5~observedGeneration:i 6~updatedNumberScheduled:i 7~numberAvailable:i 8~numberUnavailable:i 9=collisionCount:i 10~conditions:r:DaemonSetCondition',
  JobSpec:
    '1=parallelism:i 2=completions:i 3=activeDeadlineSeconds:i 11=podFailurePolicy:PodFailurePolicy 16=successPolicy:SuccessPolicy 7=backoffLimit:i 12=backoffLimitPerIndex:i 13=maxFailedIndexes:i 4=selector:LabelSelector 5=manualSelector:b 6=template:PodTemplateSpec 8=ttlSecondsAfterFinished:i 9=completionMode:s 10=suspend:b 14=podReplacementPolicy:s 15=managedBy:s 17=scheduling:JobSchedulingConfiguration',
  JobStatus:
    '1~conditions:r:JobCondition 2=startTime:t 3=completionTime:t 4~active:i 5~succeeded:i 6~failed:i 11=terminating:i 7~completedIndexes:s 10=failedIndexes:s 8=uncountedTerminatedPods:UncountedTerminatedPods 9=ready:i',
  HorizontalPodAutoscalerSpec:
    '1=scaleTargetRef:CrossVersionObjectReference 2=minReplicas:i 3=maxReplicas:i 4~metrics:r:MetricSpec 5=behavior:HorizontalPodAutoscalerBehavior',
  HorizontalPodAutoscalerStatus:
    '1=observedGeneration:i 2=lastScaleTime:t 3~currentReplicas:i 4=desiredReplicas:i 5=currentMetrics:r:MetricStatus 6~conditions:r:HorizontalPodAutoscalerCondition',
  ScaleSpec: '1~replicas:i',
  ScaleStatus: '1=replicas:i 2~selector:s',
  TokenRequestSpec:
    '1=audiences:r:s 4=expirationSeconds:i 3=boundObjectRef:BoundObjectReference 5~attestations:m:AttestationValue',
  TokenRequestStatus: '1=token:s 2=expirationTimestamp:t',
  TokenReviewSpec: '1~token:s 2~audiences:r:s',
  TokenReviewStatus: '1~authenticated:b 2~user:UserInfo 4~audiences:r:s 3~error:s',
  SelfSubjectReviewStatus: '1~userInfo:UserInfo',
  SubjectAccessReviewSpec:
    '1=resourceAttributes:ResourceAttributes 2=nonResourceAttributes:NonResourceAttributes 3~user:s 4~groups:r:s 5~extra:m:e 6~uid:s',
  SubjectAccessReviewStatus: '1=allowed:b 4~denied:b 2~reason:s 3~evaluationError:s',
  SelfSubjectAccessReviewSpec:
    '1=resourceAttributes:ResourceAttributes 2=nonResourceAttributes:NonResourceAttributes',
  SelfSubjectRulesReviewSpec: '1~namespace:s',
  SubjectRulesReviewStatus:
    '1=resourceRules:r:ResourceRule 2=nonResourceRules:r:NonResourceRule 3=incomplete:b 4~evaluationError:s',
  PolicyRule: '1=verbs:r:s 2~apiGroups:r:s 3~resources:r:s 4~resourceNames:r:s 5~nonResourceURLs:r:s',
  Subject: '1=kind:s 2~apiGroup:s 3=name:s 4~namespace:s',
  RoleRef: '1=apiGroup:s 2=kind:s 3=name:s',
  AggregationRule: '1~clusterRoleSelectors:r:LabelSelector',
  MutatingWebhook:
    '1=name:s 2=clientConfig:WebhookClientConfig 3~rules:r:RuleWithOperations 4=failurePolicy:s 9=matchPolicy:s 5=namespaceSelector:LabelSelector 11=objectSelector:LabelSelector 6=sideEffects:s 7=timeoutSeconds:i 8=admissionReviewVersions:r:s 10=reinvocationPolicy:s 12~matchConditions:r:MatchCondition',
  ValidatingWebhook:
    '1=name:s 2=clientConfig:WebhookClientConfig 3~rules:r:RuleWithOperations 4=failurePolicy:s 9=matchPolicy:s 5=namespaceSelector:LabelSelector 10=objectSelector:LabelSelector 6=sideEffects:s 7=timeoutSeconds:i 8=admissionReviewVersions:r:s 11~matchConditions:r:MatchCondition',
  LeaseSpec:
    '1=holderIdentity:s 2=leaseDurationSeconds:i 3=acquireTime:u 4=renewTime:u 5=leaseTransitions:i 6=strategy:s 7=preferredHolder:s',
  Endpoint:
    '1=addresses:r:s 2~conditions:EndpointConditions 3=hostname:s 4=targetRef:ObjectReference 5~deprecatedTopology:m:s 6=nodeName:s 7=zone:s 8=hints:EndpointHints',
  'EndpointPort@discovery': '1=name:s 2=protocol:s 3=port:i 4=appProtocol:s',
  IngressSpec:
    '4=ingressClassName:s 1=defaultBackend:IngressBackend 2~tls:r:IngressTLS 3~rules:r:IngressRule',
  IngressStatus: '1~loadBalancer:IngressLoadBalancerStatus',
  IngressClassSpec: '1~controller:s 2=parameters:IngressClassParametersReference',
  PodDisruptionBudgetSpec:
    '1=minAvailable:x 2=selector:LabelSelector 3=maxUnavailable:x 4=unhealthyPodEvictionPolicy:s',
  PodDisruptionBudgetStatus:
    '1~observedGeneration:i 2~disruptedPods:m:t 3=disruptionsAllowed:i 4=currentHealthy:i 5=desiredHealthy:i 6=expectedPods:i 7~conditions:r:Condition',
  Preconditions: '1=uid:s 2=resourceVersion:s',
  OwnerReference: '5=apiVersion:s 1=kind:s 3=name:s 4=uid:s 6=controller:b 7=blockOwnerDeletion:b',
  ManagedFieldsEntry:
    '1~manager:s 2~operation:s 3~apiVersion:s 4=time:t 6~fieldsType:s 7=fieldsV1:j 8~subresource:s',
  Condition: '1=type:s 2=status:s 3~observedGeneration:i 4=lastTransitionTime:t 5=reason:s 6=message:s',
  LabelSelector: '1~matchLabels:m:s 2~matchExpressions:r:LabelSelectorRequirement',
  DeploymentStrategy: '1~type:s 2=rollingUpdate:RollingUpdateDeployment',
  DeploymentCondition: '1=type:s 2=status:s 6~lastUpdateTime:t 7~lastTransitionTime:t 4~reason:s 5~message:s',
  ReplicaSetCondition: '1=type:s 2=status:s 3~lastTransitionTime:t 4~reason:s 5~message:s',
  StatefulSetUpdateStrategy: '1~type:s 2=rollingUpdate:RollingUpdateStatefulSetStrategy',
  StatefulSetPersistentVolumeClaimRetentionPolicy: '1~whenDeleted:s 2~whenScaled:s',
  StatefulSetOrdinals: '1=start:i',
  StatefulSetCondition: '1=type:s 2=status:s 3~lastTransitionTime:t 4~reason:s 5~message:s',
  DaemonSetUpdateStrategy: '1~type:s 2=rollingUpdate:RollingUpdateDaemonSet',
  DaemonSetCondition: '1=type:s 2=status:s 3~lastTransitionTime:t 4~reason:s 5~message:s',
  PodFailurePolicy: '1=rules:r:PodFailurePolicyRule',
  SuccessPolicy: '1=rules:r:SuccessPolicyRule',
  JobSchedulingConfiguration: '',
  JobCondition: '1=type:s 2=status:s 3~lastProbeTime:t 4~lastTransitionTime:t 5~reason:s 6~message:s',
  UncountedTerminatedPods: '1~succeeded:r:s 2~failed:r:s',
  CrossVersionObjectReference: '1=kind:s 2=name:s 3~apiVersion:s',
  MetricSpec:
    '1=type:s 2=object:ObjectMetricSource 3=pods:PodsMetricSource 4=resource:ResourceMetricSource 7=containerResource:ContainerResourceMetricSource 5=external:ExternalMetricSource',
  HorizontalPodAutoscalerBehavior: '1=scaleUp:HPAScalingRules 2=scaleDown:HPAScalingRules',
  MetricStatus:
    '1=type:s 2=object:ObjectMetricStatus 3=pods:PodsMetricStatus 4=resource:ResourceMetricStatus 7=containerResource:ContainerResourceMetricStatus 5=external:ExternalMetricStatus',
  HorizontalPodAutoscalerCondition:
    '1=type:s 2=status:s 3~lastTransitionTime:t 4~reason:s 5~message:s 6=observedGeneration:i',
  BoundObjectReference: '1~kind:s 2~apiVersion:s 3~name:s 4~uid:s',
  AttestationValue: '1=items:r:s',
  UserInfo: '1~username:s 2~uid:s 3~groups:r:s 4~extra:m:e',
  ResourceAttributes:
    '1~namespace:s 2~verb:s 3~group:s 4~version:s 5~resource:s 6~subresource:s 7~name:s 8=fieldSelector:FieldSelectorAttributes 9=labelSelector:LabelSelectorAttributes',
  NonResourceAttributes: '1~path:s 2~verb:s',
  ResourceRule: '1=verbs:r:s 2~apiGroups:r:s 3~resources:r:s 4~resourceNames:r:s',
  NonResourceRule: '1=verbs:r:s 2~nonResourceURLs:r:s',
  WebhookClientConfig: '3=url:s 1=service:ServiceReference 2~caBundle:y',
  RuleWithOperations: '1~operations:r:s 2=:Rule',
  MatchCondition: '1=name:s 2=expression:s',
  EndpointConditions: '1=ready:b 2=serving:b 3=terminating:b',
  EndpointHints: '1~forZones:r:ForZone 2~forNodes:r:ForNode',
  IngressBackend: '4=service:IngressServiceBackend 3=resource:TypedLocalObjectReference',
  IngressTLS: '1~hosts:r:s 2~secretName:s',
  IngressRule: '1~host:s 2=:IngressRuleValue',
  IngressLoadBalancerStatus: '1~ingress:r:IngressLoadBalancerIngress',
  IngressClassParametersReference: '1=apiGroup:s 2=kind:s 3=name:s 4=scope:s 5=namespace:s',
  LabelSelectorRequirement: '1=key:s 2=operator:s 3~values:r:s',
  RollingUpdateDeployment: '1=maxUnavailable:x 2=maxSurge:x',
  RollingUpdateStatefulSetStrategy: '1=partition:i 2=maxUnavailable:x',
  RollingUpdateDaemonSet: '1=maxUnavailable:x 2=maxSurge:x',
  PodFailurePolicyRule:
    '1=action:s 2=onExitCodes:PodFailurePolicyOnExitCodesRequirement 3~onPodConditions:r:PodFailurePolicyOnPodConditionsPattern',
  SuccessPolicyRule: '1=succeededIndexes:s 2=succeededCount:i',
  ObjectMetricSource:
    '1=describedObject:CrossVersionObjectReference 2=target:MetricTarget 3=metric:MetricIdentifier',
  PodsMetricSource: '1=metric:MetricIdentifier 2=target:MetricTarget',
  ResourceMetricSource: '1=name:s 2=target:MetricTarget',
  ContainerResourceMetricSource: '1=name:s 2=target:MetricTarget 3=container:s',
  ExternalMetricSource: '1=metric:MetricIdentifier 2=target:MetricTarget',
  HPAScalingRules:
    '3=stabilizationWindowSeconds:i 1=selectPolicy:s 2~policies:r:HPAScalingPolicy 4=tolerance:q',
  ObjectMetricStatus:
    '1=metric:MetricIdentifier 2=current:MetricValueStatus 3=describedObject:CrossVersionObjectReference',
  PodsMetricStatus: '1=metric:MetricIdentifier 2=current:MetricValueStatus',
  ResourceMetricStatus: '1=name:s 2=current:MetricValueStatus',
  ContainerResourceMetricStatus: '1=name:s 2=current:MetricValueStatus 3=container:s',
  ExternalMetricStatus: '1=metric:MetricIdentifier 2=current:MetricValueStatus',
  FieldSelectorAttributes: '1~rawSelector:s 2~requirements:r:FieldSelectorRequirement',
  LabelSelectorAttributes: '1~rawSelector:s 2~requirements:r:LabelSelectorRequirement',
  ServiceReference: '1=namespace:s 2=name:s 3=path:s 4=port:i',
  Rule: '1~apiGroups:r:s 2~apiVersions:r:s 3~resources:r:s 4=scope:s',
  ForZone: '1=name:s',
  ForNode: '1=name:s',
  IngressServiceBackend: '1=name:s 2~port:ServiceBackendPort',
  IngressRuleValue: '1=http:HTTPIngressRuleValue',
  IngressLoadBalancerIngress: '1~ip:s 2~hostname:s 4~ports:r:IngressPortStatus',
  PodFailurePolicyOnExitCodesRequirement: '1=containerName:s 2=operator:s 3=values:r:i',
  PodFailurePolicyOnPodConditionsPattern: '1=type:s 2=status:s',
  MetricTarget: '1=type:s 2=value:q 3=averageValue:q 4=averageUtilization:i',
  MetricIdentifier: '1=name:s 2=selector:LabelSelector',
  HPAScalingPolicy: '1=type:s 2=value:i 3=periodSeconds:i',
  MetricValueStatus: '1=value:q 2=averageValue:q 3=averageUtilization:i',
  FieldSelectorRequirement: '1=key:s 2=operator:s 3~values:r:s',
  ServiceBackendPort: '1~name:s 2~number:i',
  HTTPIngressRuleValue: '1=paths:r:HTTPIngressPath',
  IngressPortStatus: '1=port:i 2=protocol:s 3=error:s',
  HTTPIngressPath: '1~path:s 3=pathType:s 2=backend:IngressBackend',
};

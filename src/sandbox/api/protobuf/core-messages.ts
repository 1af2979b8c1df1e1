/** The messages of k8s.io.api.core.v1; how to read them: see group-messages.ts. */
export const coreMessages: Readonly<Record<string, string>> = {
  Namespace: '1~metadata:ObjectMeta 2~spec:NamespaceSpec 3~status:NamespaceStatus',
  ServiceAccount:
    '1~metadata:ObjectMeta 2~secrets:r:ObjectReference 3~imagePullSecrets:r:LocalObjectReference 4=automountServiceAccountToken:b',
  Secret: '1~metadata:ObjectMeta 5=immutable:b 2~data:m:y 4~stringData:m:s 3~type:s',
  ConfigMap: '1~metadata:ObjectMeta 4=immutable:b 2~data:m:s 3~binaryData:m:y',
  Pod: '1~metadata:ObjectMeta 2~spec:PodSpec 3~status:PodStatus',
  Service: '1~metadata:ObjectMeta 2~spec:ServiceSpec 3~status:ServiceStatus',
  Endpoints: '1~metadata:ObjectMeta 2~subsets:r:EndpointSubset',
  Event:
    '1=metadata:ObjectMeta 2=involvedObject:ObjectReference 3~reason:s 4~message:s 5~source:EventSource 6~firstTimestamp:t 7~lastTimestamp:t 8~count:i 9~type:s 10~eventTime:u 11=series:EventSeries 12~action:s 13=related:ObjectReference 14=reportingComponent:s 15=reportingInstance:s',
  Node: '1~metadata:ObjectMeta 2~spec:NodeSpec 3~status:NodeStatus',
  Binding: '1~metadata:ObjectMeta 2=target:ObjectReference',
  NamespaceSpec: '1~finalizers:r:s',
  NamespaceStatus: '1~phase:s 2~conditions:r:NamespaceCondition',
  ObjectReference: '1~kind:s 2~namespace:s 3~name:s 4~uid:s 5~apiVersion:s 6~resourceVersion:s 7~fieldPath:s',
  LocalObjectReference: '1~name:s',
  PodSpec:
    '1~volumes:r:Volume 20~initContainers:r:Container 2=containers:r:Container 34~ephemeralContainers:r:EphemeralContainer 3~restartPolicy:s 4=terminationGracePeriodSeconds:i 5=activeDeadlineSeconds:i 6~dnsPolicy:s 7~nodeSelector:m:s 8~serviceAccountName:s 9~serviceAccount:s 21=automountServiceAccountToken:b 10~nodeName:s 11~hostNetwork:b 12~hostPID:b 13~hostIPC:b 27=shareProcessNamespace:b 14=securityContext:PodSecurityContext 15~imagePullSecrets:r:LocalObjectReference 16~hostname:s 17~subdomain:s 18=affinity:Affinity 19~schedulerName:s 22~tolerations:r:Toleration 23~hostAliases:r:HostAlias 24~priorityClassName:s 25=priority:i 26=dnsConfig:PodDNSConfig 28~readinessGates:r:PodReadinessGate 29=runtimeClassName:s 30=enableServiceLinks:b 31=preemptionPolicy:s 32~overhead:m:q 33~topologySpreadConstraints:r:TopologySpreadConstraint 35=setHostnameAsFQDN:b 36=os:PodOS 37=hostUsers:b 38~schedulingGates:r:PodSchedulingGate 39~resourceClaims:r:PodResourceClaim 40=resources:ResourceRequirements 41=hostnameOverride:s 43=schedulingGroup:PodSchedulingGroup 44~evictionResponders:r:EvictionResponder',
  PodStatus:
    '17~observedGeneration:i 1~phase:s 2~conditions:r:PodCondition 3~message:s 4~reason:s 11~nominatedNodeName:s 5~hostIP:s 16~hostIPs:r:HostIP 6~podIP:s 12~podIPs:r:PodIP 7=startTime:t 10~initContainerStatuses:r:ContainerStatus 8~containerStatuses:r:ContainerStatus 9~qosClass:s 13~ephemeralContainerStatuses:r:ContainerStatus 14~resize:s 15~resourceClaimStatuses:r:PodResourceClaimStatus 18=extendedResourceClaimStatus:PodExtendedResourceClaimStatus 19~allocatedResources:m:q 20=resources:ResourceRequirements 21~nodeAllocatableResourceClaimStatuses:r:NodeAllocatableResourceClaimStatus 22~volumeHealth:r:PodVolumeHealth',
  ServiceSpec:
    '1~ports:r:ServicePort 2~selector:m:s 3~clusterIP:s 18~clusterIPs:r:s 4~type:s 5~externalIPs:r:s 7~sessionAffinity:s 8~loadBalancerIP:s 9~loadBalancerSourceRanges:r:s 10~externalName:s 11~externalTrafficPolicy:s 12~healthCheckNodePort:i 13~publishNotReadyAddresses:b 14=sessionAffinityConfig:SessionAffinityConfig 19~ipFamilies:r:s 17=ipFamilyPolicy:s 20=allocateLoadBalancerNodePorts:b 21=loadBalancerClass:s 22=internalTrafficPolicy:s 23=trafficDistribution:s',
  ServiceStatus: '1~loadBalancer:LoadBalancerStatus 2~conditions:r:Condition',
  EndpointSubset:
    '1~addresses:r:EndpointAddress 2~notReadyAddresses:r:EndpointAddress 3~ports:r:EndpointPort@core',
  EventSource: '1~component:s 2~host:s',
  EventSeries: '1~count:i 2~lastObservedTime:u',
  NodeSpec:
    '1~podCIDR:s 7~podCIDRs:r:s 3~providerID:s 4~unschedulable:b 5~taints:r:Taint 6=configSource:NodeConfigSource 2~externalID:s 8=podPreemptionPolicy:NodePodPreemptionPolicy',
  NodeStatus:
    '1~capacity:m:q 2~allocatable:m:q 3~phase:s 4~conditions:r:NodeCondition 5~addresses:r:NodeAddress 6~daemonEndpoints:NodeDaemonEndpoints 7~nodeInfo:NodeSystemInfo 8~images:r:ContainerImage 9~volumesInUse:r:s 10~volumesAttached:r:AttachedVolume 11=config:NodeConfigStatus 12~runtimeHandlers:r:NodeRuntimeHandler 13=features:NodeFeatures 14~declaredFeatures:r:s',
  NamespaceCondition: '1=type:s 2=status:s 4~lastTransitionTime:t 5~reason:s 6~message:s',
  Volume: '1=name:s 2=:VolumeSource',
  Container:
    '1=name:s 2~image:s 3~command:r:s 4~args:r:s 5~workingDir:s 6~ports:r:ContainerPort 19~envFrom:r:EnvFromSource 7~env:r:EnvVar 8~resources:ResourceRequirements 23~resizePolicy:r:ContainerResizePolicy 24=restartPolicy:s 25~restartPolicyRules:r:ContainerRestartRule 9~volumeMounts:r:VolumeMount 21~volumeDevices:r:VolumeDevice 10=livenessProbe:Probe 11=readinessProbe:Probe 22=startupProbe:Probe 12=lifecycle:Lifecycle 13~terminationMessagePath:s 20~terminationMessagePolicy:s 14~imagePullPolicy:s 15=securityContext:SecurityContext 16~stdin:b 17~stdinOnce:b 18~tty:b',
  EphemeralContainer: '1=:EphemeralContainerCommon 2~targetContainerName:s',
  PodSecurityContext:
    '1=seLinuxOptions:SELinuxOptions 8=windowsOptions:WindowsSecurityContextOptions 2=runAsUser:i 6=runAsGroup:i 3=runAsNonRoot:b 4~supplementalGroups:r:i 12=supplementalGroupsPolicy:s 5=fsGroup:i 7~sysctls:r:Sysctl 9=fsGroupChangePolicy:s 10=seccompProfile:SeccompProfile 11=appArmorProfile:AppArmorProfile 13=seLinuxChangePolicy:s',
  Affinity: '1=nodeAffinity:NodeAffinity 2=podAffinity:PodAffinity 3=podAntiAffinity:PodAntiAffinity',
  Toleration: '1~key:s 2~operator:s 3~value:s 4~effect:s 5=tolerationSeconds:i',
  HostAlias: '1=ip:s 2~hostnames:r:s',
  PodDNSConfig: '1~nameservers:r:s 2~searches:r:s 3~options:r:PodDNSConfigOption',
  PodReadinessGate: '1=conditionType:s',
  TopologySpreadConstraint:
    '1=maxSkew:i 2=topologyKey:s 3=whenUnsatisfiable:s 4=labelSelector:LabelSelector 5=minDomains:i 6=nodeAffinityPolicy:s 7=nodeTaintsPolicy:s 8~matchLabelKeys:r:s',
  PodOS: '1=name:s',
  PodSchedulingGate: '1=name:s',
  PodResourceClaim: '1=name:s 3=resourceClaimName:s 4=resourceClaimTemplateName:s',
  ResourceRequirements: '1~limits:m:q 2~requests:m:q 3~claims:r:ResourceClaim',
  PodSchedulingGroup: '1=podGroupName:s',
  EvictionResponder: '1=name:s 2=priority:i',
  PodCondition:
    '1=type:s 7~observedGeneration:i 2=status:s 3~lastProbeTime:t 4~lastTransitionTime:t 5~reason:s 6~message:s',
  HostIP: '1=ip:s',
  PodIP: '1=ip:s',
  ContainerStatus:
    '1=name:s 2~state:ContainerState 3~lastState:ContainerState 4=ready:b 5=restartCount:i 6=image:s 7=imageID:s 8~containerID:s 9=started:b 10~allocatedResources:m:q 11=resources:ResourceRequirements 12~volumeMounts:r:VolumeMountStatus 13=user:ContainerUser 14~allocatedResourcesStatus:r:ResourceStatus 15=stopSignal:s',
  PodResourceClaimStatus: '1=name:s 2=resourceClaimName:s',
  PodExtendedResourceClaimStatus:
    '1=requestMappings:r:ContainerExtendedResourceRequest 2=resourceClaimName:s',
  NodeAllocatableResourceClaimStatus:
    '1=resourceClaimName:s 2~containers:r:s 4~mapping:r:NodeAllocatableMappedResources 5~overhead:r:NodeAllocatableOverheadResources',
  PodVolumeHealth: '1=name:s 2~healthConditions:r:VolumeHealthCondition 3~lastTransitionTime:t',
  ServicePort: '1~name:s 2~protocol:s 6=appProtocol:s 3=port:i 4~targetPort:x 5~nodePort:i',
  SessionAffinityConfig: '1=clientIP:ClientIPConfig',
  LoadBalancerStatus: '1~ingress:r:LoadBalancerIngress',
  EndpointAddress: '1=ip:s 3~hostname:s 4=nodeName:s 2=targetRef:ObjectReference',
  'EndpointPort@core': '1~name:s 2=port:i 3~protocol:s 4=appProtocol:s',
  Taint: '1=key:s 2~value:s 3=effect:s 4=timeAdded:t',
  NodeConfigSource: '2=configMap:ConfigMapNodeConfigSource',
  NodePodPreemptionPolicy: '1~disableResizePreemption:r:s',
  NodeCondition: '1=type:s 2=status:s 3~lastHeartbeatTime:t 4~lastTransitionTime:t 5~reason:s 6~message:s',
  NodeAddress: '1=type:s 2=address:s',
  NodeDaemonEndpoints: '1~kubeletEndpoint:DaemonEndpoint',
  NodeSystemInfo:
    '1=machineID:s 2=systemUUID:s 3=bootID:s 4=kernelVersion:s 5=osImage:s 6=containerRuntimeVersion:s 7=kubeletVersion:s 8=kubeProxyVersion:s 9=operatingSystem:s 10=architecture:s 11=swap:NodeSwapStatus',
  ContainerImage: '1=names:r:s 2~sizeBytes:i',
  AttachedVolume: '1=name:s 2=devicePath:s',
  NodeConfigStatus:
    '1=assigned:NodeConfigSource 2=active:NodeConfigSource 3=lastKnownGood:NodeConfigSource 4~error:s',
  NodeRuntimeHandler: '1=name:s 2=features:NodeRuntimeHandlerFeatures',
  NodeFeatures: '1=supplementalGroupsPolicy:b',
  PodTemplateSpec: '1~metadata:ObjectMeta 2~spec:PodSpec',
  PersistentVolumeClaim:
    '1~metadata:ObjectMeta 2~spec:PersistentVolumeClaimSpec 3~status:PersistentVolumeClaimStatus',
  VolumeSource:
    '1=hostPath:HostPathVolumeSource 2=emptyDir:EmptyDirVolumeSource 3=gcePersistentDisk:GCEPersistentDiskVolumeSource 4=awsElasticBlockStore:AWSElasticBlockStoreVolumeSource 5=gitRepo:GitRepoVolumeSource 6=secret:SecretVolumeSource 7=nfs:NFSVolumeSource 8=iscsi:ISCSIVolumeSource 9=glusterfs:GlusterfsVolumeSource 10=persistentVolumeClaim:PersistentVolumeClaimVolumeSource 11=rbd:RBDVolumeSource 12=flexVolume:FlexVolumeSource 13=cinder:CinderVolumeSource 14=cephfs:CephFSVolumeSource 15=flocker:FlockerVolumeSource 16=downwardAPI:DownwardAPIVolumeSource 17=fc:FCVolumeSource 18=azureFile:AzureFileVolumeSource 19=configMap:ConfigMapVolumeSource 20=vsphereVolume:VsphereVirtualDiskVolumeSource 21=quobyte:QuobyteVolumeSource 22=azureDisk:AzureDiskVolumeSource 23=photonPersistentDisk:PhotonPersistentDiskVolumeSource 26=projected:ProjectedVolumeSource 24=portworxVolume:PortworxVolumeSource 25=scaleIO:ScaleIOVolumeSource 27=storageos:StorageOSVolumeSource 28=csi:CSIVolumeSource 29=ephemeral:EphemeralVolumeSource 30=image:ImageVolumeSource',
  ContainerPort: '1~name:s 2~hostPort:i 3=containerPort:i 4~protocol:s 5~hostIP:s',
  EnvFromSource: '1~prefix:s 2=configMapRef:ConfigMapEnvSource 3=secretRef:SecretEnvSource',
  EnvVar: '1=name:s 2~value:s 3=valueFrom:EnvVarSource',
  ContainerResizePolicy: '1=resourceName:s 2=restartPolicy:s',
  ContainerRestartRule: '1~action:s 2=exitCodes:ContainerRestartRuleOnExitCodes',
  VolumeMount:
    '1=name:s 2~readOnly:b 7=recursiveReadOnly:s 3=mountPath:s 4~subPath:s 5=mountPropagation:s 6~subPathExpr:s 8~bindMountOptions:r:s',
  VolumeDevice: '1=name:s 2=devicePath:s',
  Probe:
    '1=:ProbeHandler 2~initialDelaySeconds:i 3~timeoutSeconds:i 4~periodSeconds:i 5~successThreshold:i 6~failureThreshold:i 7=terminationGracePeriodSeconds:i',
  Lifecycle: '1=postStart:LifecycleHandler 2=preStop:LifecycleHandler 3=stopSignal:s',
  SecurityContext:
    '1=capabilities:Capabilities 2=privileged:b 3=seLinuxOptions:SELinuxOptions 10=windowsOptions:WindowsSecurityContextOptions 4=runAsUser:i 8=runAsGroup:i 5=runAsNonRoot:b 6=readOnlyRootFilesystem:b 7=allowPrivilegeEscalation:b 9=procMount:s 11=seccompProfile:SeccompProfile 12=appArmorProfile:AppArmorProfile',
  EphemeralContainerCommon:
    '1=name:s 2~image:s 3~command:r:s 4~args:r:s 5~workingDir:s 6~ports:r:ContainerPort 19~envFrom:r:EnvFromSource 7~env:r:EnvVar 8~resources:ResourceRequirements 23~resizePolicy:r:ContainerResizePolicy 24=restartPolicy:s 25~restartPolicyRules:r:ContainerRestartRule 9~volumeMounts:r:VolumeMount 21~volumeDevices:r:VolumeDevice 10=livenessProbe:Probe 11=readinessProbe:Probe 22=startupProbe:Probe 12=lifecycle:Lifecycle 13~terminationMessagePath:s 20~terminationMessagePolicy:s 14~imagePullPolicy:s 15=securityContext:SecurityContext 16~stdin:b 17~stdinOnce:b 18~tty:b',
  SELinuxOptions: '1~user:s 2~role:s 3~type:s 4~level:s',
  WindowsSecurityContextOptions:
    '1=gmsaCredentialSpecName:s 2=gmsaCredentialSpec:s 3=runAsUserName:s 4=hostProcess:b',
  Sysctl: '1=name:s 2=value:s',
  SeccompProfile: '1=type:s 2=localhostProfile:s',
  AppArmorProfile: '1=type:s 2=localhostProfile:s',
  NodeAffinity:
    '1=requiredDuringSchedulingIgnoredDuringExecution:NodeSelector 2~preferredDuringSchedulingIgnoredDuringExecution:r:PreferredSchedulingTerm',
  PodAffinity:
    '1~requiredDuringSchedulingIgnoredDuringExecution:r:PodAffinityTerm 2~preferredDuringSchedulingIgnoredDuringExecution:r:WeightedPodAffinityTerm',
  PodAntiAffinity:
    '1~requiredDuringSchedulingIgnoredDuringExecution:r:PodAffinityTerm 2~preferredDuringSchedulingIgnoredDuringExecution:r:WeightedPodAffinityTerm',
  PodDNSConfigOption: '1~name:s 2=value:s',
  ResourceClaim: '1=name:s 2~request:s',
  ContainerState:
    '1=waiting:ContainerStateWaiting 2=running:ContainerStateRunning 3=terminated:ContainerStateTerminated',
  VolumeMountStatus: '1=name:s 2=mountPath:s 3~readOnly:b 4=recursiveReadOnly:s 5=volumeStatus:VolumeStatus',
  ContainerUser: '1=linux:LinuxContainerUser',
  ResourceStatus: '1=name:s 2~resources:r:ResourceHealth',
  ContainerExtendedResourceRequest: '1=containerName:s 2=resourceName:s 3=requestName:s',
  NodeAllocatableMappedResources: '1=name:s 2=quantity:q',
  NodeAllocatableOverheadResources: '1=name:s 2=perPod:q 3=perContainer:q',
  VolumeHealthCondition: '1=status:s 2=reason:s 3~message:s',
  ClientIPConfig: '1=timeoutSeconds:i',
  LoadBalancerIngress: '1~ip:s 2~hostname:s 3=ipMode:s 4~ports:r:PortStatus',
  ConfigMapNodeConfigSource: '1=namespace:s 2=name:s 3~uid:s 4~resourceVersion:s 5=kubeletConfigKey:s',
  DaemonEndpoint: '1=Port:i',
  NodeSwapStatus: '1=capacity:i',
  NodeRuntimeHandlerFeatures: '1=recursiveReadOnlyMounts:b 2=userNamespaces:b',
  PersistentVolumeClaimSpec:
    '1~accessModes:r:s 4=selector:LabelSelector 2~resources:VolumeResourceRequirements 3~volumeName:s 5=storageClassName:s 6=volumeMode:s 7=dataSource:TypedLocalObjectReference 8=dataSourceRef:TypedObjectReference 9=volumeAttributesClassName:s',
  PersistentVolumeClaimStatus:
    '1~phase:s 2~accessModes:r:s 3~capacity:m:q 4~conditions:r:PersistentVolumeClaimCondition 5~allocatedResources:m:q 7~allocatedResourceStatuses:m:s 8=currentVolumeAttributesClassName:s 9=modifyVolumeStatus:ModifyVolumeStatus 10=healthStatus:VolumeHealthStatus',
  TypedLocalObjectReference: '1=apiGroup:s 2=kind:s 3=name:s',
  HostPathVolumeSource: '1=path:s 2=type:s',
  EmptyDirVolumeSource: '1~medium:s 2=sizeLimit:q 3=mode:i',
  GCEPersistentDiskVolumeSource: '1=pdName:s 2~fsType:s 3~partition:i 4~readOnly:b',
  AWSElasticBlockStoreVolumeSource: '1=volumeID:s 2~fsType:s 3~partition:i 4~readOnly:b',
  GitRepoVolumeSource: '1=repository:s 2~revision:s 3~directory:s',
  SecretVolumeSource: '1~secretName:s 2~items:r:KeyToPath 3=defaultMode:i 4=optional:b 5=defaultUser:i',
  NFSVolumeSource: '1=server:s 2=path:s 3~readOnly:b',
  ISCSIVolumeSource:
    '1=targetPortal:s 2=iqn:s 3=lun:i 4~iscsiInterface:s 5~fsType:s 6~readOnly:b 7~portals:r:s 8~chapAuthDiscovery:b 11~chapAuthSession:b 10=secretRef:LocalObjectReference 12=initiatorName:s',
  GlusterfsVolumeSource: '1=endpoints:s 2=path:s 3~readOnly:b',
  PersistentVolumeClaimVolumeSource: '1=claimName:s 2~readOnly:b',
  RBDVolumeSource:
    '1=monitors:r:s 2=image:s 3~fsType:s 4~pool:s 5~user:s 6~keyring:s 7=secretRef:LocalObjectReference 8~readOnly:b',
  FlexVolumeSource: '1=driver:s 2~fsType:s 3=secretRef:LocalObjectReference 4~readOnly:b 5~options:m:s',
  CinderVolumeSource: '1=volumeID:s 2~fsType:s 3~readOnly:b 4=secretRef:LocalObjectReference',
  CephFSVolumeSource:
    '1=monitors:r:s 2~path:s 3~user:s 4~secretFile:s 5=secretRef:LocalObjectReference 6~readOnly:b',
  FlockerVolumeSource: '1~datasetName:s 2~datasetUUID:s',
  DownwardAPIVolumeSource: '1~items:r:DownwardAPIVolumeFile 2=defaultMode:i 3=defaultUser:i',
  FCVolumeSource: '1~targetWWNs:r:s 2=lun:i 3~fsType:s 4~readOnly:b 5~wwids:r:s',
  AzureFileVolumeSource: '1=secretName:s 2=shareName:s 3~readOnly:b',
  ConfigMapVolumeSource:
    '1=:LocalObjectReference 2~items:r:KeyToPath 3=defaultMode:i 4=optional:b 5=defaultUser:i',
  VsphereVirtualDiskVolumeSource: '1=volumePath:s 2~fsType:s 3~storagePolicyName:s 4~storagePolicyID:s',
  QuobyteVolumeSource: '1=registry:s 2=volume:s 3~readOnly:b 4~user:s 5~group:s 6~tenant:s',
  AzureDiskVolumeSource: '1=diskName:s 2=diskURI:s 3=cachingMode:s 4=fsType:s 5=readOnly:b 6=kind:s',
  PhotonPersistentDiskVolumeSource: '1=pdID:s 2~fsType:s',
  ProjectedVolumeSource: '1=sources:r:VolumeProjection 2=defaultMode:i 3=defaultUser:i',
  PortworxVolumeSource: '1=volumeID:s 2~fsType:s 3~readOnly:b',
  ScaleIOVolumeSource:
    '1=gateway:s 2=system:s 3=secretRef:LocalObjectReference 4~sslEnabled:b 5~protectionDomain:s 6~storagePool:s 7~storageMode:s 8~volumeName:s 9~fsType:s 10~readOnly:b',
  StorageOSVolumeSource:
    '1~volumeName:s 2~volumeNamespace:s 3~fsType:s 4~readOnly:b 5=secretRef:LocalObjectReference',
  CSIVolumeSource:
    '1=driver:s 2=readOnly:b 3=fsType:s 4~volumeAttributes:m:s 5=nodePublishSecretRef:LocalObjectReference',
  EphemeralVolumeSource: '1=volumeClaimTemplate:PersistentVolumeClaimTemplate',
  ImageVolumeSource: '1~reference:s 2~pullPolicy:s',
  ConfigMapEnvSource: '1=:LocalObjectReference 2=optional:b',
  SecretEnvSource: '1=:LocalObjectReference 2=optional:b',
  EnvVarSource:
    '1=fieldRef:ObjectFieldSelector 2=resourceFieldRef:ResourceFieldSelector 3=configMapKeyRef:ConfigMapKeySelector 4=secretKeyRef:SecretKeySelector 5=fileKeyRef:FileKeySelector',
  ContainerRestartRuleOnExitCodes: '1~operator:s 2~values:r:i',
  ProbeHandler: '1=exec:ExecAction 2=httpGet:HTTPGetAction 3=tcpSocket:TCPSocketAction 4=grpc:GRPCAction',
  LifecycleHandler:
    '1=exec:ExecAction 2=httpGet:HTTPGetAction 3=tcpSocket:TCPSocketAction 4=sleep:SleepAction',
  Capabilities: '1~add:r:s 2~drop:r:s',
  NodeSelector: '1=nodeSelectorTerms:r:NodeSelectorTerm',
  PreferredSchedulingTerm: '1=weight:i 2=preference:NodeSelectorTerm',
  PodAffinityTerm:
    '1=labelSelector:LabelSelector 2~namespaces:r:s 3=topologyKey:s 4=namespaceSelector:LabelSelector 5~matchLabelKeys:r:s 6~mismatchLabelKeys:r:s',
  WeightedPodAffinityTerm: '1=weight:i 2=podAffinityTerm:PodAffinityTerm',
  ContainerStateWaiting: '1~reason:s 2~message:s',
  ContainerStateRunning: '1~startedAt:t',
  ContainerStateTerminated:
    '1=exitCode:i 2~signal:i 3~reason:s 4~message:s 5~startedAt:t 6~finishedAt:t 7~containerID:s',
  VolumeStatus: '1=image:ImageVolumeStatus',
  LinuxContainerUser: '1=uid:i 2=gid:i 3~supplementalGroups:r:i',
  ResourceHealth: '1=resourceID:s 2~health:s 6=message:s',
  PortStatus: '1=port:i 2=protocol:s 3=error:s',
  VolumeResourceRequirements: '1~limits:m:q 2~requests:m:q',
  TypedObjectReference: '1=apiGroup:s 2=kind:s 3=name:s 4=namespace:s',
  PersistentVolumeClaimCondition:
    '1=type:s 2=status:s 3~lastProbeTime:t 4~lastTransitionTime:t 5~reason:s 6~message:s',
  ModifyVolumeStatus: '1~targetVolumeAttributesClassName:s 2=status:s',
  VolumeHealthStatus: '1~healthConditions:r:VolumeHealthCondition 2~lastTransitionTime:t',
  KeyToPath: '1=key:s 2=path:s 3=mode:i 4=user:i',
  DownwardAPIVolumeFile:
    '1=path:s 2=fieldRef:ObjectFieldSelector 3=resourceFieldRef:ResourceFieldSelector 4=mode:i 5=user:i',
  VolumeProjection:
    '1=secret:SecretProjection 2=downwardAPI:DownwardAPIProjection 3=configMap:ConfigMapProjection 4=serviceAccountToken:ServiceAccountTokenProjection 5=clusterTrustBundle:ClusterTrustBundleProjection 6=podCertificate:PodCertificateProjection',
  PersistentVolumeClaimTemplate: '1~metadata:ObjectMeta 2=spec:PersistentVolumeClaimSpec',
  ObjectFieldSelector: '1~apiVersion:s 2=fieldPath:s',
  ResourceFieldSelector: '1~containerName:s 2=resource:s 3~divisor:q',
  ConfigMapKeySelector: '1=:LocalObjectReference 2=key:s 3=optional:b',
  SecretKeySelector: '1=:LocalObjectReference 2=key:s 3=optional:b',
  FileKeySelector: '1=volumeName:s 2=path:s 3=key:s 4=optional:b',
  ExecAction: '1~command:r:s',
  HTTPGetAction: '1~path:s 2=port:x 3~host:s 4~scheme:s 5~httpHeaders:r:HTTPHeader 6=protocol:s',
  TCPSocketAction: '1=port:x 2~host:s',
  GRPCAction: '1=port:i 2=service:s 3=mode:s',
  SleepAction: '1=seconds:i',
  NodeSelectorTerm: '1~matchExpressions:r:NodeSelectorRequirement 2~matchFields:r:NodeSelectorRequirement',
  ImageVolumeStatus: '1~imageRef:s',
  SecretProjection: '1=:LocalObjectReference 2~items:r:KeyToPath 4=optional:b',
  DownwardAPIProjection: '1~items:r:DownwardAPIVolumeFile',
  ConfigMapProjection: '1=:LocalObjectReference 2~items:r:KeyToPath 4=optional:b',
  ServiceAccountTokenProjection: '1~audience:s 2=expirationSeconds:i 3=path:s 4=user:i',
  ClusterTrustBundleProjection:
    '1=name:s 2=signerName:s 3=labelSelector:LabelSelector 5=optional:b 4=path:s 6=user:i',
  PodCertificateProjection:
    '1~signerName:s 2~keyType:s 3=maxExpirationSeconds:i 4~credentialBundlePath:s 5~keyPath:s 6~certificateChainPath:s 7~userAnnotations:m:s 8=user:i',
  HTTPHeader: '1=name:s 2=value:s',
  NodeSelectorRequirement: '1=key:s 2=operator:s 3~values:r:s',
};

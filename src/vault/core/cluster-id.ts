/** Where a store keeps who it is; made once, with the store. */
export const clusterIdPath = 'core/cluster-id';

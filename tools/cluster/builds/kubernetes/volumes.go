package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	provisioner      = "airlock.dev/test-volumes"
	chosenNode       = "volume.kubernetes.io/selected-node"
	provisionedBy    = "pv.kubernetes.io/provisioned-by"
	betweenRounds    = time.Second
	requestsDeadline = 10 * time.Second
)

// newVolumesCommand is the smallest provisioner that the storage class `standard` needs: a folder for each claim that
// the scheduler has placed, removed with the claim. All nodes of a test cluster share the machine's file system, so a
// volume is bound to no node.
func newVolumesCommand() *cobra.Command {
	var kubeconfig, folder, class string
	command := &cobra.Command{
		Use:  "volumes",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			for {
				if err := round(client, folder, class); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
				time.Sleep(betweenRounds)
			}
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	command.Flags().StringVar(&folder, "folder", "", "where the volumes' folders are")
	command.Flags().StringVar(&class, "class", "standard", "the storage class that is served")
	return command
}

func round(client kubernetes.Interface, folder, class string) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestsDeadline)
	defer cancel()
	claims, err := client.CoreV1().PersistentVolumeClaims("").List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	for _, claim := range claims.Items {
		served := claim.Spec.StorageClassName != nil && *claim.Spec.StorageClassName == class
		if served && claim.Status.Phase == core.ClaimPending && claim.Annotations[chosenNode] != "" {
			if err := provide(ctx, client, folder, &claim); err != nil {
				return err
			}
		}
	}
	volumes, err := client.CoreV1().PersistentVolumes().List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	for _, volume := range volumes.Items {
		if volume.Annotations[provisionedBy] == provisioner && volume.Status.Phase == core.VolumeReleased {
			if err := os.RemoveAll(filepath.Join(folder, volume.Name)); err != nil {
				return err
			}
			if err := client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func provide(ctx context.Context, client kubernetes.Interface, folder string, claim *core.PersistentVolumeClaim) error {
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	// Past the umask: a hostPath volume gets no fsGroup, and its user is not known here.
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	kind := core.HostPathDirectory
	_, err := client.CoreV1().PersistentVolumes().Create(ctx, &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: provisioner}},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			StorageClassName:              *claim.Spec.StorageClassName,
			ClaimRef: &core.ObjectReference{
				Kind: "PersistentVolumeClaim", APIVersion: "v1",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: path, Type: &kind},
			},
		},
	}, meta.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
